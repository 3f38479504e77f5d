import CSupervise

/// Where the C library looks names up (nss(5)).
enum NameServices {
    /// To be called before each look. A program that is linked statically keeps to files and the DNS:
    /// other name services are libraries, which bring another C library along, and crash.
    static func prepare() {
        _ = once
    }

    private static let once: Void = csupervise_avoid_name_service_libraries()
}
