import CSupervise

/// The name services of the C library (nss(5)).
enum NameServices {
    /// Call this before each lookup. A static program uses only files and the DNS: other name
    /// services are libraries that load a second C library and crash.
    static func prepare() {
        _ = once
    }

    private static let once: Void = csupervise_avoid_name_service_libraries()
}
