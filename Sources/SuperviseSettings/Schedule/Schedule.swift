import SuperviseCore

/// When the command of a pool runs.
public struct Schedule: Hashable, Sendable, CustomStringConvertible {
    enum Kind: Hashable, Sendable {
        /// At times of the calendar.
        case calendar(CronExpression)
        /// After this time, and again each time that it has passed.
        case interval(TimeSpan)
    }

    let kind: Kind
    /// The text, with single blanks between its words.
    public let description: String

    /// The interval of `every`; nil for a schedule by the calendar.
    public var interval: TimeSpan? {
        switch kind {
        case .calendar: nil
        case .interval(let span): span
        }
    }

    /// Returns the text with the time zone, if it is not the local one.
    public func description(in zone: ScheduleTimeZone) -> String {
        interval != nil || zone == .local ? description : "\(description) \(zone.rawValue)"
    }

    /// Parses five cron fields, a name such as `@hourly`, or `every DURATION`.
    public init(_ text: String) throws(ScheduleFault) {
        let words = text.split { $0 == " " || $0 == "\t" }
        guard let first = words.first else { throw .fields(0) }
        description = words.joined(separator: " ")
        if first.lowercased() == "every" {
            kind = .interval(try Schedule.interval(words.dropFirst().joined()))
        } else if first.utf8.first == UInt8(ascii: "@") {
            guard words.count == 1 else { throw .name(description) }
            kind = .calendar(try Schedule.expression(named: first.lowercased()))
        } else {
            kind = .calendar(try CronExpression(fields: words))
        }
    }

    /// The shortest interval. Runs that end sooner need a worker without a schedule.
    private static let shortestInterval = TimeSpan.seconds(1)

    private static func interval(_ text: String) throws(ScheduleFault) -> TimeSpan {
        let span: TimeSpan
        do throws(ValueFault) {
            span = try DurationText.parse(text)
        } catch {
            throw .interval(text)
        }
        guard span >= shortestInterval else { throw .interval(text) }
        return span
    }

    /// The names of crontab(5).
    private static func expression(named name: String) throws(ScheduleFault) -> CronExpression {
        let fields: String
        switch name {
        case "@yearly", "@annually": fields = "0 0 1 1 *"
        case "@monthly": fields = "0 0 1 * *"
        case "@weekly": fields = "0 0 * * 0"
        case "@daily", "@midnight": fields = "0 0 * * *"
        case "@hourly": fields = "0 * * * *"
        case "@reboot": throw .reboot
        default: throw .name(name)
        }
        return try CronExpression(fields: fields.split(separator: " "))
    }
}

/// The time zone of a schedule.
public enum ScheduleTimeZone: String, Hashable, Sendable, CaseIterable {
    /// That of the master: `TZ`, or else /etc/localtime.
    case local
    /// Coordinated Universal Time.
    case utc = "UTC"
}

/// The reason that a text is not a schedule.
public enum ScheduleFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// This many fields instead of five.
    case fields(Int)
    /// A value that this field does not allow.
    case value(String, String, allowed: String)
    /// A range whose end precedes its start.
    case reversedRange(String, String)
    /// A step after a single value.
    case stepWithoutRange(String, String, last: Int)
    /// A step that is not a positive number.
    case step(String, String)
    /// A step that exceeds the range of its field.
    case stepBeyondRange(String, String, longest: Int)
    /// A date that does not exist.
    case neverMatches
    /// An unknown name with `@`.
    case name(String)
    /// `@reboot`.
    case reboot
    /// An invalid or too short interval after `every`.
    case interval(String)

    /// What is wrong, after the text of the schedule.
    public var description: String {
        switch self {
        case .fields(6):
            "has six fields; a schedule has five and no seconds: for an interval in seconds, write "
                + "every 30s"
        case .fields(let count):
            "has \(count) field\(count == 1 ? "" : "s"); a schedule has five: minute, hour, "
                + "day-of-month, month, day-of-week"
        case .value(let field, let text, let allowed):
            "has the invalid \(field) \(shown(text)); allowed: \(allowed), or *, a range or a "
                + "list of them"
        case .reversedRange(let field, let text):
            "has the \(field) range \(shown(text)), which ends before it begins; write two ranges "
                + "with a comma"
        case .stepWithoutRange(let field, let text, let last):
            "has the \(field) \(shown(text)), a step without a range; write "
                + "\(text.prefix { $0 != "/" })-\(last)/\(text.drop { $0 != "/" }.dropFirst())"
        case .step(let field, let text):
            "has the \(field) \(shown(text)), whose step is not a number above 0"
        case .stepBeyondRange(let field, let text, let longest):
            "has the \(field) \(shown(text)), whose step exceeds \(longest), so it would apply once "
                + "per period; for an interval, write for example every 90m"
        case .neverMatches: "names a date that never occurs"
        case .name(let name):
            "has the unknown name \(shown(name)); the names are @hourly, @daily (@midnight), "
                + "@weekly, @monthly and @yearly (@annually)"
        case .reboot:
            "is not supported: for a command that runs once at the start, use before-start, or "
                + "restart = never without a schedule"
        case .interval: "has an invalid interval; allowed: every and a duration of at least 1s"
        }
    }
}
