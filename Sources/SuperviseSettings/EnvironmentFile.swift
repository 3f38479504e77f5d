/// Files of `KEY=VALUE` lines.
enum EnvironmentFile {
    /// Parses the variables of a file. Fails with one problem per invalid line.
    static func parse(
        _ bytes: [UInt8], path: String
    ) throws(SettingsError) -> [EnvironmentVariable] {
        let lines: [String]
        do throws(SettingsLines.Fault) {
            lines = try SettingsLines.split(bytes)
        } catch {
            throw SettingsError([error.problem(in: path)])
        }
        var variables: [EnvironmentVariable] = []
        var problems: [SettingsProblem] = []
        for (index, line) in lines.enumerated() {
            var text = SettingsLines.trimmed(line)
            if text.isEmpty || text.hasPrefix("#") || text.hasPrefix(";") { continue }
            if let exported = text.after(prefix: "export ") {
                text = SettingsLines.trimmed(exported)
            }
            do throws(ValueFault) {
                variables.append(try Format.variable.parse(text))
            } catch {
                problems.append(
                    SettingsProblem(
                        source: .file(path: path, line: index + 1),
                        message: "the line \(error.reason); allowed: \(Format.variable.allowed)"))
            }
        }
        guard problems.isEmpty else { throw SettingsError(problems) }
        return variables
    }
}

extension Configuration {
    /// The configuration with the contents of all env-files in place of their names, so that no file
    /// needs to be read later. The variables of `env` come last and override them.
    public func inliningEnvironmentFiles(
        _ files: FileAccess
    ) throws(SettingsError) -> Configuration {
        var result = self
        var problems: [SettingsProblem] = []
        for index in result.pools.indices {
            var variables: [EnvironmentVariable] = []
            for path in result.pools[index].environmentFiles {
                switch files.read(path) {
                case .failure(let fault):
                    problems.append(
                        SettingsProblem(
                            source: .pool(result.pools[index].name), key: "env-file",
                            message: "\(path): \(fault)"))
                case .success(let bytes):
                    do throws(SettingsError) {
                        variables += try EnvironmentFile.parse(bytes, path: path)
                    } catch {
                        problems += error.problems
                    }
                }
            }
            result.pools[index].environment = variables + result.pools[index].environment
            result.pools[index].environmentFiles = []
        }
        guard problems.isEmpty else { throw SettingsError(problems) }
        return result
    }
}
