/// A language whose programs `mold = auto` can load.
struct MoldLanguage {
    /// Its name in messages.
    let name: String
    /// The program that loads others and forks workers.
    let adapter: [UInt8]
    /// How the names of its interpreters begin.
    private let interpreters: [String]
    /// Options of the interpreter whose value is the next word.
    private let valued: [String]
    /// Options with the program itself, which end the options.
    private let programs: [String]
    /// Whether flags may stand in front of the letter of such an option, as in `-um`.
    private let joinsFlags: Bool

    static let all = [
        MoldLanguage(
            name: "Python", adapter: PackageResources.supervise_mold_py,
            interpreters: ["python"], valued: ["-X", "-W", "--check-hash-based-pycs"],
            programs: ["-m", "-c"], joinsFlags: true),
        MoldLanguage(
            name: "Ruby", adapter: PackageResources.supervise_mold_rb, interpreters: ["ruby"],
            valued: [
                "-I", "-r", "-C", "-E", "-X", "--encoding", "--external-encoding",
                "--internal-encoding",
            ],
            programs: ["-e"], joinsFlags: false),
    ]

    /// The language of an interpreter; nil if it is none of these.
    static func ofInterpreter(_ path: String) -> MoldLanguage? {
        let file = path.split(separator: "/").last ?? ""
        return all.first { $0.interpreters.contains(where: file.hasPrefix) }
    }

    /// The options of the interpreter in front of the program.
    func options(of command: [String]) -> [String] {
        var options: [String] = []
        var words = command.dropFirst()
        while let word = words.popFirst(), word.hasPrefix("-"), word != "-", word != "--",
            !programs.contains(where: word.hasPrefix)
        {
            if let flags = flags(in: word) {
                options.append(flags)
                break
            }
            options.append(word)
            if valued.contains(word), let value = words.popFirst() { options.append(value) }
        }
        return options
    }

    /// The flags in front of the letter of an option that ends them; nil if the word has none.
    private func flags(in word: String) -> String? {
        guard joinsFlags, !word.hasPrefix("--"), !valued.contains(where: word.hasPrefix),
            let last = word.last, programs.contains("-\(last)")
        else { return nil }
        return String(word.dropLast())
    }
}
