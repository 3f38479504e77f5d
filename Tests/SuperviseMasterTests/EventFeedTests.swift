import SuperviseLinux
import Testing

@testable import SuperviseMaster

struct EventFeedTests {
    /// A pool that is resized often does not displace the last reload.
    @Test func changesOfEachKindAreKept() {
        let feed = EventFeed()
        let time = WallClock.now()
        feed.take(LogLine(.info, "reload").with("generation", 2), at: time)
        for number in 0..<200 {
            feed.take(LogLine(.info, "resized").with("to", number), at: time)
            feed.take(LogLine(.info, "exited"), at: time)
            feed.take(LogLine(.debug, "parked"), at: time)
        }
        #expect(feed.changes.count == 41)
        #expect(feed.changes.first?.line.event == "reload")
        #expect(feed.changes.dropFirst().allSatisfy { $0.line.event == "resized" })
        #expect(feed.changes.last?.sequence == 400)
        #expect(feed.events.count == EventFeed.kept)

        let next = EventFeed()
        next.resume(feed.state)
        #expect(next.changes.map(\.sequence) == feed.changes.map(\.sequence))
    }
}
