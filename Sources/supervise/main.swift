import Glibc
import SuperviseClient
import SuperviseLinux
import SuperviseMaster

exit(
    Program.main(
        ProcessStart.arguments ?? CommandLine.arguments, environment: ProcessStart.environment,
        talk: Client.run))
