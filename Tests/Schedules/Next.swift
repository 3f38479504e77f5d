import SuperviseSettings

/// Reads lines of a time in seconds since the Unix epoch and a schedule. Prints the next five runs
/// in UTC, or `error` and its reason.
@main
struct Next {
    static func main() {
        while let line = readLine() {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard parts.count == 2, let start = Int64(parts[0]) else { continue }
            do throws(ScheduleFault) {
                let schedule = try Schedule(parts[1])
                var times: [Int64] = []
                var time = start
                for _ in 0..<5 {
                    guard let next = schedule.next(after: time, in: .utc) else { break }
                    times.append(next)
                    time = next
                }
                print(times.map(String.init).joined(separator: " "))
            } catch {
                print("error \(error)")
            }
        }
    }
}
