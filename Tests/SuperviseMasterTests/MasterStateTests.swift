import SuperviseSettings
import SuperviseState
import Testing

@testable import SuperviseMaster

/// How a program handles the state of another version.
struct MasterStateTests {
    private struct Headed: Codable {
        var head: MasterState.Head
    }

    @Test(arguments: [MasterState.format - 1, MasterState.format + 1])
    func anotherFormatIsRefusedByItsNumber(format: UInt32) throws {
        let bytes = try State.encode(Headed(head: .init(format: format, version: "9.8.7")))
        let refusal = #expect(throws: MasterState.Refusal.self) { try MasterState.decode(bytes) }
        let text = refusal?.description ?? ""
        #expect(text.contains("supervise 9.8.7 uses state format \(format)"))
        #expect(
            text.contains("supervise \(Version.current) reads only format \(MasterState.format)"))
    }

    @Test func whatIsMissingIsNamed() throws {
        let head = MasterState.Head(format: MasterState.format, version: "9.8.7")
        let bytes = try State.encode(Headed(head: head))
        let refusal = #expect(throws: MasterState.Refusal.self) { try MasterState.decode(bytes) }
        #expect(refusal?.description.contains("arguments: this is missing") == true)
    }

    @Test func whatIsNoStateIsRefused() {
        #expect(throws: MasterState.Refusal.self) { try MasterState.decode([]) }
        #expect(throws: MasterState.Refusal.self) { try MasterState.decode(Array("#!/bin".utf8)) }
    }

    @Test func settingsThatTheProgramDoesNotHaveAreRefused() {
        let text = "settings\n\n[pool web]\nno-such-key = 1\ncommand = x\n# end\n"
        let refusal = #expect(throws: MasterState.Refusal.self) {
            try MasterState.configuration(text)
        }
        #expect(refusal?.description.contains("no-such-key") == true)
    }

    @Test func aProbesWordComesBack() {
        for outcome in [
            UpgradeProbe.Outcome.understood(version: "1.2.3"), .refused("it is\ttoo old"),
        ] {
            #expect(UpgradeProbe.outcome(Array(UpgradeProbe.answer(outcome).utf8)) == outcome)
        }
        for text in ["", "understood", "understood 1.2", "hello world\n"] {
            guard case .refused = UpgradeProbe.outcome(Array(text.utf8)) else {
                Issue.record("\(text) was understood")
                continue
            }
        }
    }
}
