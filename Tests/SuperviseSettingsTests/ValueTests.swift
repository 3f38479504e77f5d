import SuperviseCore
import Testing

@testable import SuperviseSettings

@Suite struct ValueTests {
    @Test(
        arguments: [
            ("65536", 65536), ("0", 0), ("512M", 512 << 20), ("512m", 512 << 20), ("1.5G", 3 << 29),
            ("1K", 1024), ("0.5K", 512), ("9223372036854775807", UInt64(Int64.max)),
            ("300MB", 300 << 20), ("300MiB", 300 << 20), ("300mb", 300 << 20), ("300Mi", 300 << 20),
            ("1.5GiB", 3 << 29), ("64KB", 65536), ("512B", 512),
        ] as [(String, UInt64)])
    func sizes(text: String, bytes: UInt64) throws {
        #expect(try SizeText.parse(text) == bytes)
        #expect(try SizeText.parse(SizeText.print(bytes)) == bytes)
    }

    @Test(arguments: [
        "", "M", "1.5", "-1", "+1", "1 M", "1MBB", "1BM", "1iB", "1.5B", "1.2.3M", "1e3", ".5M",
        "1.M", "1.1234567890M",
        "٣M", "many",
    ])
    func notSizes(text: String) {
        #expect(
            outcome { () throws(ValueFault) in try SizeText.parse(text) }
                == .failure(.malformed(text, noun: "a size")))
    }

    @Test(arguments: ["9223372036854775808", "18446744073709551616", "99999999999G", "8589934592G"])
    func hugeSizes(text: String) {
        #expect(
            outcome { () throws(ValueFault) in try SizeText.parse(text) }
                == .failure(.outOfRange(text)))
    }

    @Test func percentagesAreNoSizes() {
        #expect(
            outcome { () throws(ValueFault) in try SizeText.parse("80%") }
                == .failure(.percentOfMemory("80%")))
    }

    @Test(
        arguments: [
            ("30", TimeSpan.seconds(30)), ("30s", .seconds(30)), ("500ms", .milliseconds(500)),
            ("1h30m", .seconds(5400)), ("2d", .seconds(172_800)), ("0", .zero),
            ("1d2h3m4s5ms6us7ns", TimeSpan(nanoseconds: 93_784_005_006_007)),
            ("9223372036854775807ns", TimeSpan(nanoseconds: .max)), ("1.5h", .seconds(5400)),
            ("1.5", .milliseconds(1500)), ("0.25s", .milliseconds(250)), ("1h1.5m", .seconds(3690)),
            ("1.999999999999d", TimeSpan(nanoseconds: 172_799_999_999_913)),
        ] as [(String, TimeSpan)])
    func durations(text: String, span: TimeSpan) throws {
        #expect(try DurationText.parse(text) == span)
        #expect(try DurationText.parse(DurationText.print(span)) == span)
    }

    @Test(arguments: [
        "", "s", "-1s", "1x", "1h30", "30m1h", "1m1m", "1 s", "1.5h30m", ".5s", "1.s", "1.2.3s",
        "1.-5s",
        "1.1234567890123456789s", "1h 30m", "1ſ", "1\u{301}s",
    ])
    func notDurations(text: String) {
        #expect(
            outcome { () throws(ValueFault) in try DurationText.parse(text) }
                == .failure(.malformed(text, noun: "a duration")))
    }

    @Test(arguments: [
        "9223372036854775808ns", "99999999999999999999", "106752d", "106751d24h", "106751.999d",
    ])
    func hugeDurations(text: String) {
        #expect(
            outcome { () throws(ValueFault) in try DurationText.parse(text) }
                == .failure(.outOfRange(text)))
    }

    @Test func durationsReadWell() {
        #expect(DurationText.print(.seconds(60)) == "60s")
        #expect(DurationText.print(.seconds(90)) == "90s")
        #expect(DurationText.print(.seconds(900)) == "15m")
        #expect(DurationText.print(.milliseconds(1500)) == "1s500ms")
    }

    @Test(arguments: [
        ("127.0.0.1:8000", BindAddress.tcp(host: "127.0.0.1", port: 8000)),
        (":8000", .tcp(host: "0.0.0.0", port: 8000)), ("[::1]:80", .tcp(host: "::1", port: 80)),
        ("[fe80::1%eth0]:80", .tcp(host: "fe80::1%eth0", port: 80)),
        ("localhost:0", .tcp(host: "localhost", port: 0)),
        ("unix:/run/a b", .unix(path: "/run/a b")),
        ("unix:rel.sock", .unix(path: "rel.sock")), ("unix:@name", .abstract(name: "name")),
        ("fd://3", .descriptor(3)), ("systemd:web", .systemd(name: "web")),
    ])
    func binds(text: String, address: BindAddress) throws {
        #expect(try BindAddress(parsing: text) == address)
        #expect(try BindAddress(parsing: address.description) == address)
    }

    @Test(arguments: [
        ("", ValueFault.empty), ("8000", .missingPort("8000")), ("host:", .missingPort("host:")),
        ("host:x", .badPort("host:x", port: "x")),
        ("h:65536", .badPort("h:65536", port: "65536")),
        ("h:-1", .badPort("h:-1", port: "-1")),
        ("::1:80", .missingBrackets("::1:80")), ("[::1]", .missingPort("[::1]")),
        ("[x]:80", .malformed("[x]:80", noun: "a listener")),
        ("a b:80", .malformed("a b:80", noun: "a listener")),
        ("http://x:80", .malformed("http://x:80", noun: "a listener")),
        ("unix:", .malformed("unix:", noun: "a listener")),
        ("unix:@", .malformed("unix:@", noun: "a listener")),
        ("fd://x", .malformed("fd://x", noun: "a listener")),
        ("fd://9999999", .outOfRange("fd://9999999")),
        ("systemd:", .malformed("systemd:", noun: "a listener")),
        ("systemd:a:b", .malformed("systemd:a:b", noun: "a listener")),
    ])
    func notBinds(text: String, fault: ValueFault) {
        #expect(
            outcome { () throws(ValueFault) in try BindAddress(parsing: text) }
                == .failure(fault))
    }

    @Test func socketPathsEndAt107Bytes() throws {
        let longest = "unix:" + String(repeating: "a", count: 107)
        #expect(try BindAddress(parsing: longest).description == longest)
        #expect(
            outcome { () throws(ValueFault) in try BindAddress(parsing: longest + "a") }
                == .failure(.socketPathTooLong(longest + "a")))
    }

    @Test func nearestNames() {
        #expect(NearestName.find("max-request", in: Setting.keys) == "max-requests")
        #expect(NearestName.find("MAX_RSS", in: Setting.keys) == "max-rss")
        #expect(NearestName.find("worker", in: Setting.keys) == "workers")
        #expect(NearestName.find("bidn", in: Setting.keys) == "bind")
        #expect(NearestName.find("quux", in: Setting.keys) == nil)
        #expect(NearestName.find(String(repeating: "max-rss", count: 9), in: Setting.keys) == nil)
    }

    @Test func textsAreShownOnOneLine() {
        #expect(shown("a\nb\u{1B}") == "\"a\\u{a}b\\u{1b}\"")
        #expect(shown(String(repeating: "x", count: 500)).count == 83)
    }
}
