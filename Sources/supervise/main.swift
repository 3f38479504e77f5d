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
        CommandLine.arguments, environment: environment, talk: Client.run))
