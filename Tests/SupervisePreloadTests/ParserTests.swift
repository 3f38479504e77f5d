import Glibc
import Testing

@Suite struct ParserTests {
    /// Only the library calls the observer's parser, so a program in C calls it here.
    @Test(.enabled(if: Compiled.isPossible))
    func itReadsWhatRequestsAndResponsesAre() async throws {
        let library = "\(Place.tests)/../../Sources/CSupervisePreload"
        let parser = ["message", "proxy", "request", "response", "route"]
        let program = try await Compiled(
            "parsing", ["-I", library] + parser.map { "\(library)/http_\($0).c" })
        let child = try Child([program.path], environment: [])
        #expect(try await child.end() == .exited(0))
    }
}
