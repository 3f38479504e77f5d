import Glibc
import SuperviseClient
import SuperviseMaster

var environment: [String] = []
var entry = environ
while let text = entry.pointee {
    environment.append(String(cString: text))
    entry += 1
}
exit(
    Program.main(
        Array(CommandLine.arguments.dropFirst()), environment: environment, talk: Client.run))
