import SuperviseSettings

/// Arbitrary text as a schedule, and an arbitrary time: parsing never traps, the text of a schedule
/// can be parsed again, and the next run is later than the time, also with a time zone that changes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSchedule(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    guard count >= 8 else { return 0 }
    let time = bytes[..<8].reduce(Int64(0)) { $0 << 8 | Int64($1) }
    let jump = Int64(Int8(bitPattern: bytes[0])) * 200
    // Changes at most twice a year, as in zones with daylight saving.
    let zone = LocalOffsets { ($0 >> 24) & 1 == 0 ? 3_600 : 7_200 }
    do throws(ScheduleFault) {
        let schedule = try Schedule(String(decoding: bytes[8...], as: UTF8.self))
        let again = try Schedule(schedule.description)
        precondition(again == schedule, "the text of a schedule has another meaning")
        for place in [time, time >> 20] {
            for zone in [zone, LocalOffsets.utc] {
                if let next = schedule.next(after: place, in: zone) { precondition(next > place) }
                let reviewed = schedule.next(
                    afterClockWasSetTo: place, by: jump, planned: time >> 19, in: zone)
                if let reviewed { precondition(reviewed >= place) }
            }
        }
    } catch {
        precondition(!error.description.isEmpty)
    }
    return 0
}
