/// The records of the workers themselves: when each started to boot, became ready and started to
/// stop.
struct Roster {
    struct Entry {
        let seconds: Double
        let pid: Int
        let word: String
    }

    let entries: [Entry]

    init(_ folder: Folder, _ name: String = "roster") {
        entries = folder.lines(name).compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 3, let seconds = Double(words[0]), let pid = Int(words[1]) else {
                return nil
            }
            return Entry(seconds: seconds, pid: pid, word: String(words[2]))
        }
    }

    /// The minimum number of ready workers between the time when `full` were ready first and the
    /// time when the last worker became ready; nil if there were never that many.
    func lowestReady(full: Int) -> Int? {
        guard let last = entries.lastIndex(where: { $0.word == "ready" }) else { return nil }
        var ready = 0
        var lowest: Int?
        for entry in entries[...last] {
            if entry.word == "ready" { ready += 1 }
            if entry.word == "stop" { ready -= 1 }
            if lowest != nil || ready == full { lowest = min(lowest ?? full, ready) }
        }
        return lowest
    }

    /// The maximum number of workers that booted at the same time, after the first `full` ones.
    func mostBooting(after full: Int) -> Int {
        var booting: Set<Int> = []
        var most = 0
        var started = 0
        for entry in entries {
            if entry.word == "boot" {
                started += 1
                booting.insert(entry.pid)
                if started > full { most = max(most, booting.count) }
            } else {
                booting.remove(entry.pid)
            }
        }
        return most
    }

    func count(of word: String) -> Int { entries.filter { $0.word == word }.count }
}
