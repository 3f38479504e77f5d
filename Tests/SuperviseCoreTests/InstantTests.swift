import Testing

@testable import SuperviseCore

/// Instants and time spans (Instant.swift).
struct InstantTests {
    @Test func theEndOfTimeIsNotPassed() {
        #expect(second(1) + TimeSpan(nanoseconds: .max) == Instant(nanoseconds: .max))
        #expect(TimeSpan.seconds(.max) == TimeSpan(nanoseconds: .max))
        #expect(TimeSpan.seconds(.min) == TimeSpan(nanoseconds: .min))
        #expect(TimeSpan.seconds(.max) + .seconds(1) == TimeSpan(nanoseconds: .max))
    }

    @Test func arithmetic() {
        #expect(second(5) - second(3) == .seconds(2))
        #expect(second(3) + .milliseconds(1500) == Instant(nanoseconds: 4_500_000_000))
        #expect(TimeSpan.milliseconds(1500).seconds == 1.5)
    }
}
