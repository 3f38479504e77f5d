import Testing

@testable import SuperviseSettings

/// Any input yields a result or an error: a trap would abort these tests.
struct TotalityTests {
    /// Fragments that lead deep into the parsers, in addition to noise.
    private static let pieces =
        Setting.keys + [
            "[pool a]", "[pool b]", "include = a", "include = *", "\n", "\r\n", "\n", " = ", "=",
            " ",
            "\\\n", "#", ";", "\"", "'", "$'", "\\", "\\x", "{fd:", "{fd}", "}", "512M", "1h", "-1",
            "99999999999999999999", "25%", "unix:", "unix:@", "[::1]:80", ":80", "fd://",
            "systemd:",
            "--", "-c", "-w", "--pool", "a.workers=2", "auto", "off", "\u{FEFF}", "\u{301}", "\0",
        ]

    private func noise(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 0...12, using: &generator) {
            if generator.chance(70) {
                bytes += Array(generator.pick(TotalityTests.pieces).utf8)
            } else {
                bytes.append(UInt8.random(in: 0...255, using: &generator))
            }
        }
        return bytes
    }

    /// Valid lines with occasional noise.
    private func configFile(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = Array("command = x\n".utf8)
        for _ in 0..<Int.random(in: 0...5, using: &generator) {
            let setting = generator.pick(Setting.all)
            bytes += Array("\(setting.key) = ".utf8)
            if generator.chance(80), setting.defaultRemark == nil {
                bytes += Array(setting.defaultText.utf8)
            } else {
                bytes += noise(&generator)
            }
            bytes += generator.chance(10) ? noise(&generator) : [UInt8(ascii: "\n")]
        }
        return generator.chance(30) ? noise(&generator) : bytes
    }

    @Test func configFiles() {
        var generator = SeededGenerator(state: 4)
        var accepted = 0
        for _ in 0..<25_000 {
            let bytes = configFile(&generator)
            let files = FileAccess(read: { _ in .success(bytes) }, glob: { [$0, "x"] })
            do throws(SettingsError) {
                let loaded = try Configuration.load(
                    Overrides(configPath: "a"), environment: [:], files: files)
                accepted += 1
                let text = loaded.configuration.canonicalText
                #expect(
                    try Configuration(canonicalText: Array(text.utf8)) == loaded.configuration)
            } catch {
                #expect(!error.problems.isEmpty)
                #expect(!error.description.isEmpty)
            }
            _ = errorText { () throws(SettingsError) in
                _ = try EnvironmentFile.parse(bytes, path: "e")
            }
        }
        // Noise that is never accepted would not test the result of loading.
        #expect(accepted > 500)
    }

    /// The cost must not grow with the square of the input.
    @Test(.timeLimit(.minutes(1))) func longInputs() throws {
        let lines = "command = x \\\n" + String(repeating: "y \\\n", count: 20_000)
        #expect(try pool(file: lines).command.count == 20_001)
        let values = "command = x\n" + String(repeating: "env = A=1\n", count: 20_000)
        #expect(try pool(file: values).environment.count == 20_000)
        let text = loadError(file: String(repeating: "x", count: 1_000_000))
        #expect(text.utf8.count < 300)
    }

    @Test func commandLines() {
        var generator = SeededGenerator(state: 5)
        for _ in 0..<25_000 {
            let words = (0..<Int.random(in: 0...5, using: &generator)).map { _ in
                String(decoding: noise(&generator).prefix(24), as: UTF8.self)
            }
            do throws(SettingsError) {
                guard case .run(let overrides) = try Invocation.parse(["run"] + words) else {
                    continue
                }
                _ = try Configuration.load(overrides, environment: [:], files: .none)
            } catch {
                #expect(!error.problems.isEmpty)
            }
        }
    }

    @Test func values() {
        var generator = SeededGenerator(state: 6)
        for round in 0..<100_000 {
            let text = String(decoding: noise(&generator).prefix(40), as: UTF8.self)
            let key = Setting.keys[round % Setting.keys.count]
            let source = SettingSource.invocation
            _ = Assignment(key: key, text: text, source: source).problem?.description
            _ = expandPlaceholders([text], descriptors: [3], slot: 1, pool: "p")
            _ = HelpTopic(text)
        }
    }
}
