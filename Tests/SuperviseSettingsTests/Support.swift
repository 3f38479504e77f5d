import SuperviseCore
import Testing

@testable import SuperviseSettings

/// Files that exist only in the test. A pattern matches by the text before its first asterisk.
func inMemory(_ contents: [String: String]) -> FileAccess {
    inMemory(bytes: contents.mapValues { Array($0.utf8) })
}

func inMemory(bytes contents: [String: [UInt8]]) -> FileAccess {
    FileAccess(
        read: { path in
            contents[path].map { .success($0) } ?? .failure(.notFound)
        },
        glob: { pattern in
            let parts = pattern.split(
                separator: "*", maxSplits: 1, omittingEmptySubsequences: false)
            return contents.keys.filter {
                $0.hasPrefix(String(parts[0])) && $0.hasSuffix(String(parts.last ?? ""))
            }
        })
}

/// Loads a command line, a file `a.conf` and an environment.
func load(
    _ arguments: [String] = [], file: String? = nil, environment: [String: String] = [:],
    files: [String: String] = [:]
) throws(SettingsError) -> LoadedConfiguration {
    var files = files
    var arguments = arguments
    if let file {
        files["a.conf"] = file
        arguments = ["-c", "a.conf"] + arguments
    }
    guard case .run(let overrides) = try Invocation.parse(["run"] + arguments) else {
        throw SettingsError([SettingsProblem(source: .invocation, message: "not a run")])
    }
    return try Configuration.load(overrides, environment: environment, files: inMemory(files))
}

/// The only pool of the loaded configuration.
func pool(
    _ arguments: [String] = [], file: String? = nil, environment: [String: String] = [:]
) throws -> PoolSettings {
    let pools = try load(arguments, file: file, environment: environment).configuration.pools
    return try #require(pools.count == 1 ? pools.first : nil)
}

/// The text of the error, or "no error".
func errorText(_ body: () throws(SettingsError) -> Void) -> String {
    do throws(SettingsError) {
        try body()
        return "no error"
    } catch {
        return error.description
    }
}

/// The text of the error of loading.
func loadError(
    _ arguments: [String] = [], file: String? = nil, environment: [String: String] = [:],
    files: [String: String] = [:]
) -> String {
    errorText { () throws(SettingsError) in
        _ = try load(arguments, file: file, environment: environment, files: files)
    }
}

/// The text of the error of a command line.
func parseError(_ arguments: String...) -> String {
    errorText { () throws(SettingsError) in _ = try Invocation.parse(arguments) }
}

/// The value or the fault of a parser.
func outcome<Value>(
    _ body: () throws(ValueFault) -> Value
) -> Result<Value, ValueFault> {
    do throws(ValueFault) {
        return .success(try body())
    } catch {
        return .failure(error)
    }
}

/// SplitMix64: small, seeded, sufficient for choosing test inputs.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

    mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[Int.random(in: 0..<choices.count, using: &self)]
    }
}
