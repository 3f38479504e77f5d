import CSupervise
import Glibc

/// The format of a program's file, as relevant to a preload library. It is read from the ELF header
/// (elf(5)), following `#!` lines (execve(2)). Any file is accepted; an unrecognised one is
/// `unknown`.
public enum ExecutableFormat: Hashable, Sendable {
    /// A native program with the loader of glibc, so LD_PRELOAD works (ld.so(8)).
    case glibc
    /// A native program with the loader of musl, whose path this is. It loads libraries linked for musl.
    case musl(String)
    /// A native program with another loader, or a loader of another word size. A library linked for
    /// glibc would prevent it from starting.
    case otherLoader(String)
    /// A native program without a loader: statically linked.
    case withoutLoader
    /// A native program written in Go. Even if it has the loader of glibc, it makes its system
    /// calls directly.
    case go
    /// A program with the loader of glibc that is linked with the address sanitizer, whose library
    /// aborts if another library was loaded first.
    case addressSanitized
    /// A 32-bit program, run by the compatibility calls of the kernel.
    case narrow
    /// A program for another architecture, run by an emulator.
    case otherMachine
    /// The program does not exist, cannot be read, or is not an ELF file.
    case unknown

    /// The kernel rejects longer chains as well (ELOOP of execve(2)).
    private static let longestScriptChain = 4
    /// The number of bytes that the kernel reads of a script's first line.
    static let scriptLineBytes = 256

    /// The format of the program behind a file.
    public static func ofFile(_ path: String) -> ExecutableFormat { program(of: path).format }

    /// The same, with the program itself, which for a script is that of its first line.
    public static func program(of path: String) -> (format: ExecutableFormat, path: String) {
        do {
            return try SpareDescriptors.lent { () throws(SystemCallError) in try inspect(at: path) }
        } catch {
            return (.unknown, path)
        }
    }

    private static func inspect(
        at path: String
    ) throws(SystemCallError) -> (format: ExecutableFormat, path: String) {
        var path = path
        for _ in 0...longestScriptChain {
            let file = try ProgramFile(path)
            let head = file.bytes(at: 0, count: scriptLineBytes)
            guard head.starts(with: Array("#!".utf8)) else {
                return (ELFHeader(head)?.format(of: file) ?? .unknown, path)
            }
            guard let interpreter = interpreter(inLine: head) else { return (.unknown, path) }
            path = interpreter
        }
        return (.unknown, path)
    }

    /// The file that execvp(3) would execute for this name: a path if it contains a slash,
    /// otherwise the first executable file in `searchPath` (nil is `/bin:/usr/bin`). Relative paths
    /// refer to `folder`, the working directory of the new process. Nil if there is none.
    public static func path(
        of name: String, searchPath: String?, folder: String?
    ) -> String? {
        let candidates = SpawnPlan.candidates(for: name, in: searchPath ?? "/bin:/usr/bin")
        return candidates.lazy
            .map { $0.hasPrefix("/") || folder == nil ? $0 : "\(folder ?? "")/\($0)" }
            .first { path in
                var status = stat()
                return stat(SystemText.path(path), &status) == 0
                    && status.st_mode & S_IFMT == S_IFREG
                    && access(SystemText.path(path), X_OK) == 0
            }
    }

    /// Whether a program gets privileges from its file: setuid, setgid, or capabilities
    /// (capabilities(7)). no_new_privs disables them.
    public static func givesPrivileges(_ path: String) -> Bool {
        var status = stat()
        guard stat(SystemText.path(path), &status) == 0 else { return false }
        return status.st_mode & (S_ISUID | S_ISGID) != 0
            || csupervise_has_capabilities(SystemText.path(path))
    }

    /// The interpreter of a script, from its first line; nil if the file is not a script or cannot
    /// be read.
    static func interpreter(ofScript path: String) -> String? {
        do {
            return try SpareDescriptors.lent { () throws(SystemCallError) in
                let head = try ProgramFile(path).bytes(at: 0, count: scriptLineBytes)
                return head.starts(with: Array("#!".utf8)) ? interpreter(inLine: head) : nil
            }
        } catch {
            return nil
        }
    }

    /// Whether the loader runs the program in secure mode for this user, in which it ignores
    /// LD_PRELOAD (ld.so(8), "Secure-execution mode"). Root gains nothing from file capabilities.
    public static func isSecure(_ path: String, uid: UInt32, gid: UInt32) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return false }
        return status.st_mode & S_ISUID != 0 && status.st_uid != uid
            || status.st_mode & S_ISGID != 0 && status.st_gid != gid
            || uid != 0 && csupervise_has_capabilities(path)
    }

    /// The first word after `#!`. It is a path and is never searched.
    private static func interpreter(inLine head: [UInt8]) -> String? {
        let blanks: Set<UInt8> = [UInt8(ascii: " "), UInt8(ascii: "\t")]
        let line = head.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") && $0 != 0 }
        let word = line.drop { blanks.contains($0) }.prefix { !blanks.contains($0) }
        return word.isEmpty ? nil : SystemText.text(word)
    }
}

/// The relevant fields of an ELF header in the byte order of this machine.
private struct ELFHeader {
    private static let magic: [UInt8] = [0x7F, 0x45, 0x4C, 0x46]
    private static let wideClass: UInt8 = 2
    private static let interpreterType: UInt64 = 3
    private static let longestInterpreter: UInt64 = 4096
    private static let noteType: UInt64 = 4
    private static let longestNotes: UInt64 = 4096
    private static let goNoteName = Array("Go\0\0".utf8)
    #if arch(x86_64)
        private static let (ourMachine, narrowMachine): (UInt64, UInt64) = (62, 3)
    #elseif arch(arm64)
        private static let (ourMachine, narrowMachine): (UInt64, UInt64) = (183, 40)
    #else
        private static let (ourMachine, narrowMachine): (UInt64, UInt64) = (0, 0)
    #endif
    #if _endian(little)
        private static let ourByteOrder: UInt8 = 1
    #else
        private static let ourByteOrder: UInt8 = 2
    #endif

    private let isWide: Bool
    private let isOurs: Bool
    private let isNarrow: Bool
    private let tableOffset: UInt64
    private let entryBytes: Int
    private let entryCount: Int

    /// Nil if the bytes are not the start of an ELF file.
    init?(_ head: [UInt8]) {
        guard head.starts(with: Self.magic), head.count >= 52 else { return nil }
        isWide = head[4] == Self.wideClass
        let machine = Self.number(head, at: 18, bytes: 2)
        isOurs = head[5] == Self.ourByteOrder && machine == Self.ourMachine
        isNarrow = head[5] == Self.ourByteOrder && machine == Self.narrowMachine && !isWide
        let (offset, size, count) = isWide ? (32, 54, 56) : (28, 42, 44)
        guard let tableOffset = Self.number(head, at: offset, bytes: isWide ? 8 : 4),
            let entryBytes = Self.number(head, at: size, bytes: 2),
            let entryCount = Self.number(head, at: count, bytes: 2)
        else { return nil }
        self.tableOffset = tableOffset
        self.entryBytes = Int(entryBytes)
        self.entryCount = Int(entryCount)
    }

    func format(of file: ProgramFile) -> ExecutableFormat {
        guard isOurs else { return isNarrow ? .narrow : .otherMachine }
        // As in the kernel: entries of any other size are rejected.
        guard entryBytes == (isWide ? 56 : 32) else { return .unknown }
        let table = file.bytes(at: tableOffset, count: entryBytes * entryCount)
        guard table.count == entryBytes * entryCount, entryCount > 0 else { return .unknown }
        var interpreter: String?
        for start in stride(from: 0, to: table.count, by: entryBytes) {
            guard let type = Self.number(table, at: start, bytes: 4) else { return .unknown }
            guard type == Self.interpreterType || type == Self.noteType else { continue }
            let (offset, size) = isWide ? (8, 32) : (4, 16)
            guard let offset = Self.number(table, at: start + offset, bytes: isWide ? 8 : 4),
                let size = Self.number(table, at: start + size, bytes: isWide ? 8 : 4)
            else { return .unknown }
            if type == Self.noteType {
                let notes = file.bytes(at: offset, count: Int(min(size, Self.longestNotes)))
                if isFromGo(notes) { return .go }
            } else if size <= Self.longestInterpreter {
                let path = file.bytes(at: offset, count: Int(size)).prefix { $0 != 0 }
                interpreter = interpreter ?? String(decoding: path, as: UTF8.self)
            } else {
                return .unknown
            }
        }
        let format = interpreter.map(loader) ?? .withoutLoader
        guard format == .glibc else { return format }
        let needed = neededLibraries(in: table, of: file)
        return Self.sanitizers.contains(where: needed.contains) ? .addressSanitized : .glibc
    }

    /// The names of the address sanitizer's library: those of gcc and clang, followed by versions.
    private static let sanitizers = ["libasan.so", "libclang_rt.asan"]
    private static let loadType: UInt64 = 1
    private static let dynamicType: UInt64 = 2
    private static let neededTag: UInt64 = 1
    private static let namesTag: UInt64 = 5
    private static let longestDynamic: UInt64 = 65_536

    /// The names of the libraries that a program is linked with (DT_NEEDED), concatenated.
    private func neededLibraries(in table: [UInt8], of file: ProgramFile) -> String {
        func segment(_ start: Int) -> (type: UInt64, offset: UInt64, address: UInt64, size: UInt64)
        {
            func field(_ place: Int, _ bytes: Int) -> UInt64 {
                Self.number(table, at: start + place, bytes: bytes) ?? 0
            }
            return (field(0, 4), field(8, 8), field(16, 8), field(32, 8))
        }
        let segments = stride(from: 0, to: table.count, by: entryBytes).map(segment)
        guard let place = segments.first(where: { $0.type == Self.dynamicType }) else { return "" }
        let dynamic = file.bytes(at: place.offset, count: Int(min(place.size, Self.longestDynamic)))
        var needed: [UInt64] = []
        var names: UInt64?
        for start in stride(from: 0, to: dynamic.count, by: 16) {
            guard let tag = Self.number(dynamic, at: start, bytes: 8),
                let value = Self.number(dynamic, at: start + 8, bytes: 8)
            else { break }
            if tag == Self.neededTag { needed.append(value) }
            if tag == Self.namesTag { names = value }
        }
        // The header contains the address of the names in memory, and the file is read by offset.
        guard let names,
            let home = segments.first(where: {
                $0.type == Self.loadType && names >= $0.address && names - $0.address < $0.size
            })
        else { return "" }
        let text = needed.map { name in
            let offset = (names - home.address).addingReportingOverflow(home.offset).partialValue
                .addingReportingOverflow(name).partialValue
            return String(
                decoding: file.bytes(at: offset, count: 64).prefix { $0 != 0 }, as: UTF8.self)
        }
        return text.joined(separator: "\n")
    }

    /// The linker of Go writes the build ID to a note with its own name, among other notes.
    private func isFromGo(_ notes: [UInt8]) -> Bool {
        var start = 0
        while let nameBytes = Self.number(notes, at: start, bytes: 4),
            let valueBytes = Self.number(notes, at: start + 4, bytes: 4)
        {
            let name = notes.dropFirst(start + 12).prefix(Int(nameBytes))
            if name.elementsEqual(Self.goNoteName) { return true }
            // Both parts are padded to four bytes (elf(5)).
            start += 12 + (Int(nameBytes) + 3) / 4 * 4 + (Int(valueBytes) + 3) / 4 * 4
        }
        return false
    }

    /// The loader of glibc is `/lib64/ld-linux-x86-64.so.2` or, with a version in its name,
    /// `ld-2.31.so`.
    private func loader(_ path: String) -> ExecutableFormat {
        let name = path.split(separator: "/").last ?? ""
        let isGlibc = name.hasPrefix("ld-linux") || name.hasPrefix("ld-2.")
        if isWide, name.hasPrefix("ld-musl-") { return .musl(path) }
        return isWide && isGlibc ? .glibc : .otherLoader(path)
    }

    private static func number(_ bytes: [UInt8], at offset: Int, bytes count: Int) -> UInt64? {
        guard offset + count <= bytes.count else { return nil }
        var value: UInt64 = 0
        for index in 0..<count {
            let place = ourByteOrder == 1 ? count - 1 - index : index
            value = value << 8 | UInt64(bytes[offset + place])
        }
        return value
    }
}
