import Glibc

/// A user or group that does not exist or could not be looked up.
public struct AccountFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// `user` or `group`.
    public let kind: String
    /// The name or number as written by the operator.
    public let name: String
    /// The error of the lookup; nil if the account does not exist.
    public let code: Int32?

    /// `no user named "www"`.
    public var description: String {
        guard let code else { return "no \(kind) named \"\(name)\"" }
        return "\(kind) \"\(name)\": \(SystemCallError.message(of: code))"
    }
}

/// An entry of passwd(5), or a number without an entry.
public struct UserAccount: Hashable, Sendable {
    /// The login name; nil for a number without an entry.
    public let name: String?
    /// The user ID.
    public let uid: UInt32
    /// The primary group; nil for a number without an entry.
    public let gid: UInt32?
    /// The home directory; nil for a number without an entry.
    public let home: String?
    /// The login shell; nil for a number without an entry.
    public let shell: String?
}

/// Users and groups (getpwnam_r(3), getgrnam_r(3), getgrouplist(3)). These functions query the name
/// service and can block, so they must never be called on the loop.
public enum Accounts {
    /// Looks up a user by name or number. A name of digits is looked up as a name first.
    public static func user(_ text: String) throws(AccountFailure) -> UserAccount {
        NameServices.prepare()
        let named = try entry("user", text, passwd()) { getpwnam_r(text, $0, $1, $2, $3) }
        if let named { return named }
        guard let uid = number(text) else {
            throw AccountFailure(kind: "user", name: text, code: nil)
        }
        let numbered = try entry("user", text, passwd()) { getpwuid_r(uid, $0, $1, $2, $3) }
        return numbered ?? UserAccount(name: nil, uid: uid, gid: nil, home: nil, shell: nil)
    }

    /// Looks up the ID of a group by its name or number.
    public static func group(_ text: String) throws(AccountFailure) -> UInt32 {
        NameServices.prepare()
        let found = try search("group", text, Glibc.group()) {
            getgrnam_r(text, $0, $1, $2, $3)
        } read: {
            $0.gr_gid
        }
        if let found = found ?? number(text) { return found }
        throw AccountFailure(kind: "group", name: text, code: nil)
    }

    /// The groups of a user, including `gid`.
    public static func groups(of name: String, with gid: UInt32) -> [UInt32] {
        NameServices.prepare()
        var room: Int32 = 64
        while true {
            var groups = [gid_t](repeating: 0, count: Int(room))
            var count = room
            if getgrouplist(name, gid, &groups, &count) >= 0 {
                return Array(groups.prefix(Int(count)))
            }
            // Some name services return the required size, others the given one.
            room = max(count, room * 2)
        }
    }

    /// The credentials of a process; nil if neither is given. With only a group, the user stays and
    /// there are no supplementary groups. A user without an entry gets the group of the same
    /// number.
    public static func credentials(
        user: String?, group: String?
    ) throws(AccountFailure) -> Credentials? {
        var gid: UInt32?
        if let group { gid = try self.group(group) }
        guard let user else {
            return gid.map { Credentials(uid: getuid(), gid: $0, supplementaryGroups: [$0]) }
        }
        let account = try self.user(user)
        let primary = gid ?? account.gid ?? account.uid
        let groups = account.name.map { self.groups(of: $0, with: primary) } ?? [primary]
        return Credentials(uid: account.uid, gid: primary, supplementaryGroups: groups)
    }

    private static func number(_ text: String) -> UInt32? {
        // setresuid(2) interprets the last number as "unchanged".
        text.utf8.allSatisfy { (0x30...0x39).contains($0) }
            ? UInt32(text).flatMap { $0 == .max ? nil : $0 } : nil
    }

    private static func entry(
        _ kind: String, _ name: String, _ empty: passwd, _ call: Call<passwd>
    ) throws(AccountFailure) -> UserAccount? {
        try search(kind, name, empty, call) {
            UserAccount(
                name: text($0.pw_name), uid: $0.pw_uid, gid: $0.pw_gid, home: text($0.pw_dir),
                shell: text($0.pw_shell))
        }
    }

    private static func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    private typealias Call<Entry> = (
        UnsafeMutablePointer<Entry>, UnsafeMutablePointer<CChar>, Int,
        UnsafeMutablePointer<UnsafeMutablePointer<Entry>?>
    ) -> Int32

    private static func search<Entry, Value>(
        _ kind: String, _ name: String, _ empty: Entry, _ call: Call<Entry>,
        read: (Entry) -> Value
    ) throws(AccountFailure) -> Value? {
        var size = 1024
        while true {
            var entry = empty
            var found: UnsafeMutablePointer<Entry>?
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: size)
            defer { buffer.deallocate() }
            switch call(&entry, buffer, size, &found) {
            case 0 where found != nil: return read(entry)
            // The errors that the manual page allows for an unknown name.
            case 0, ENOENT, ESRCH, EPERM, EBADF: return nil
            case ERANGE where size < 1 << 24: size *= 4
            case EINTR: continue
            case let code: throw AccountFailure(kind: kind, name: name, code: code)
            }
        }
    }
}
