import SuperviseCore

/// A writer of the Prometheus text format, version 0.0.4.
struct MetricsText {
    enum Kind {
        case gauge, counter, summary, histogram

        var name: StaticString {
            switch self {
            case .gauge: "gauge"
            case .counter: "counter"
            case .summary: "summary"
            case .histogram: "histogram"
            }
        }
    }

    typealias Label = (name: StaticString, value: String)

    private var text = ByteText()
    private var name: StaticString = ""

    var bytes: [UInt8] { text.bytes }

    /// Begins a metric.
    mutating func family(_ name: StaticString, _ kind: Kind, _ help: StaticString) {
        self.name = name
        text.append("# HELP ")
        text.append(name)
        text.append(" ")
        text.append(help)
        text.append("\n# TYPE ")
        text.append(name)
        text.append(" ")
        text.append(kind.name)
        text.append("\n")
    }

    /// Writes a metric with one sample.
    mutating func single(
        _ name: StaticString, _ kind: Kind, _ help: StaticString, _ value: some BinaryInteger
    ) {
        family(name, kind, help)
        begin("", [])
        end(value)
    }

    mutating func sample(
        suffix: StaticString = "", _ labels: Label..., number value: some BinaryInteger
    ) {
        begin(suffix, labels)
        end(value)
    }

    mutating func sample(
        suffix: StaticString = "", _ labels: Label..., seconds value: TimeSpan
    ) {
        begin(suffix, labels)
        text.append(" ")
        text.append(seconds: value)
        text.append("\n")
    }

    /// Writes a sample of a slot. There can be very many, so it allocates no list of labels.
    mutating func sample(
        _ pool: String, slot: Int, unit: CountUnit? = nil, _ value: some BinaryInteger
    ) {
        text.append(name)
        text.append("{pool=\"")
        append(escaped: pool)
        text.append("\",slot=\"")
        text.append(slot)
        switch unit {
        case .requests: text.append("\",unit=\"requests")
        case .connections: text.append("\",unit=\"connections")
        case nil: break
        }
        text.append("\"}")
        end(value)
    }

    /// Writes a duration of a slot.
    mutating func sample(_ pool: String, slot: Int, seconds value: TimeSpan) {
        text.append(name)
        text.append("{pool=\"")
        append(escaped: pool)
        text.append("\",slot=\"")
        text.append(slot)
        text.append("\"} ")
        text.append(seconds: value)
        text.append("\n")
    }

    private mutating func begin(_ suffix: StaticString, _ labels: [Label]) {
        text.append(name)
        text.append(suffix)
        guard !labels.isEmpty else { return }
        for (index, label) in labels.enumerated() {
            text.append(index == 0 ? "{" : ",")
            text.append(label.name)
            text.append("=\"")
            append(escaped: label.value)
            text.append("\"")
        }
        text.append("}")
    }

    private mutating func end(_ value: some BinaryInteger) {
        text.append(" ")
        text.append(value)
        text.append("\n")
    }

    private mutating func append(escaped value: String) {
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): text.append("\\\\")
            case UInt8(ascii: "\""): text.append("\\\"")
            case UInt8(ascii: "\n"): text.append("\\n")
            default: text.append(byte: byte)
            }
        }
    }
}
