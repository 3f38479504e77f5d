import Glibc

/// The version of a kernel (uname(2)).
struct KernelRelease: Comparable {
    let major: Int
    let minor: Int

    static func < (a: KernelRelease, b: KernelRelease) -> Bool {
        (a.major, a.minor) < (b.major, b.minor)
    }

    /// The version of the running kernel; nil if its text cannot be parsed.
    static var current: KernelRelease? {
        var names = utsname()
        guard uname(&names) == 0 else { return nil }
        let text = withUnsafeBytes(of: &names.release) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        return KernelRelease(text)
    }

    init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// `6.1.0-18-amd64`, `5.9-rc1`.
    init?(_ text: String) {
        let parts = text.split(whereSeparator: { !$0.isNumber })
        guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1]) else {
            return nil
        }
        self.init(major: major, minor: minor)
    }
}
