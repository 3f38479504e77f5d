import SuperviseCore
import SuperviseLinux
import Testing

@testable import SuperviseMaster

/// The format of log lines.
@Suite struct LogLineTests {
    private let line = LogLine(.info, "exited").with("age", TimeSpan.milliseconds(1250))
        .with("rss", bytes: 63 << 20).with("small", bytes: 512)
        .with("growth_per_hour", bytes: -3 << 20, per: .hour)
        .with("growth_per_request", bytes: 1536, per: .request)
        .with("per_connection", bytes: 100, per: .connection).with("requests", 7)

    private func rendered(_ rendering: LogRendering) -> String {
        rendering.render(line, at: WallClock.now())
    }

    @Test func peopleGetUnits() {
        #expect(
            rendered(.text).hasSuffix(
                " age=1.250s rss=63.0M small=512B growth_per_hour=-3.0M/h "
                    + "growth_per_request=1.5K/request per_connection=100B/connection requests=7"))
    }

    @Test func programsGetNumbers() {
        #expect(
            rendered(.logfmt).hasSuffix(
                " age=1.250 rss=66060288 small=512 growth_per_hour=-3145728 growth_per_request=1536 "
                    + "per_connection=100 requests=7"))
        #expect(
            rendered(.json).hasSuffix(
                ",\"growth_per_hour\":-3145728,\"growth_per_request\":1536,\"per_connection\":100,"
                    + "\"requests\":7,\"units\":{\"age\":\"seconds\",\"rss\":\"bytes\",\"small\":\"bytes\","
                    + "\"growth_per_hour\":\"bytes/h\",\"growth_per_request\":\"bytes/request\","
                    + "\"per_connection\":\"bytes/connection\"}}"))
    }
}
