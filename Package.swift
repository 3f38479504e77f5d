// swift-tools-version: 6.1
import PackageDescription

let strict: [SwiftSetting] = [.unsafeFlags(["-warnings-as-errors"])]
// A master sleeps; it should be small. Its text is most of what it has resident.
let small: [SwiftSetting] =
    strict + [.unsafeFlags(["-Osize"], .when(configuration: .release))]
// Optimised in debug mode too: a test simulates thousands of schedules.
let quick: [SwiftSetting] =
    strict + [
        .unsafeFlags(["-O"]),
        .unsafeFlags(
            ["-whole-module-optimization", "-num-threads", "2"], .when(configuration: .debug)),
    ]
let strictC: [CSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]
// Loaded into programs in any language: it shows no names but those that it stands in front of, and
// is linked without the Swift runtime.
let foreignC: [CSetting] =
    strictC + [.unsafeFlags(["-std=c11", "-fvisibility=hidden", "-fno-stack-protector"])]
let withoutRuntime: [LinkerSetting] = [
    .unsafeFlags(["-nostartfiles", "-no-toolchain-stdlib-rpath"])
]

// A release at fixed addresses and without a table of its symbols for libraries that it does not
// load: there is no page of it to relocate. With SUPERVISE_STATIC in the environment it loads none at
// all, not even the C library; that needs libc.a and libstdc++.a, which not every distribution installs.
let lean: [LinkerSetting] = [
    .unsafeFlags(
        Context.environment["SUPERVISE_STATIC"] == nil
            ? ["-Xclang-linker", "-no-pie", "-Xlinker", "--no-export-dynamic"]
            : ["-static-executable", "-use-ld=lld"],
        .when(configuration: .release))
]

// The library product that other packages may use takes no unsafe flags: the package manager
// refuses a dependency that has them.
let package = Package(
    name: "supervise",
    products: [
        .executable(name: "supervise", targets: ["supervise"]),
        .executable(name: "hello-worker", targets: ["hello-worker"]),
        .library(name: "SuperviseWorker", targets: ["SuperviseWorker"]),
        .library(name: "supervise-preload", type: .dynamic, targets: ["CSupervisePreload"]),
    ],
    targets: [
        .target(name: "CSupervise", cSettings: strictC),
        // Also used by the library product below, so without settings.
        .target(name: "CSupervisePage"),
        .target(
            name: "CSupervisePreload", dependencies: ["CSupervisePage"], cSettings: foreignC,
            linkerSettings: withoutRuntime),
        .target(name: "SuperviseCore", swiftSettings: quick),
        .target(name: "SuperviseState", swiftSettings: quick),
        .target(
            name: "SuperviseSettings", dependencies: ["SuperviseCore"], swiftSettings: small),
        .target(
            name: "SuperviseControl", dependencies: ["SuperviseCore"],
            resources: [
                "page.html", "style.css", "history.js", "figures.js", "drawing.js", "chart.js",
                "view.js", "timeline.js", "jobs.js", "loop.js",
            ].map { .embedInCode("Page/\($0)") },
            swiftSettings: small),
        .target(
            name: "SuperviseLinux", dependencies: ["CSupervise", "CSupervisePage"],
            swiftSettings: small),
        .target(
            name: "SuperviseMaster",
            dependencies: [
                "SuperviseControl", "SuperviseCore", "SuperviseSettings", "SuperviseLinux",
                "SuperviseState",
            ],
            resources: [
                "Molds/supervise_mold.py", "Molds/supervise_mold.rb", "Demo/demo_server.py",
                "Demo/demo_load.py", "Hunting/supervise_hunt.py", "Hunting/supervise_hunt.js",
            ].map { .embedInCode($0) },
            swiftSettings: small),
        .target(
            name: "SuperviseClient",
            dependencies: [
                "SuperviseControl", "SuperviseCore", "SuperviseSettings", "SuperviseLinux",
            ],
            swiftSettings: small),
        .target(name: "SuperviseWorker", dependencies: ["CSupervisePage"]),
        .executableTarget(
            name: "supervise",
            dependencies: ["SuperviseClient", "SuperviseMaster", "SuperviseLinux"],
            swiftSettings: small, linkerSettings: lean),
        .executableTarget(
            name: "hello-worker", dependencies: ["SuperviseWorker"], swiftSettings: strict),
        .testTarget(
            name: "SuperviseCoreTests", dependencies: ["SuperviseCore"], swiftSettings: strict),
        .target(name: "Background", path: "Tests/Background", swiftSettings: strict),
        .target(
            name: "Simulator", dependencies: ["SuperviseCore"], path: "Tests/Simulator",
            swiftSettings: quick),
        .executableTarget(
            name: "simulate", dependencies: ["SuperviseCore", "Simulator"],
            path: "Tests/simulate", swiftSettings: strict),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["Background", "SuperviseCore", "SuperviseState", "Simulator"],
            swiftSettings: strict),
        .testTarget(
            name: "SuperviseStateTests", dependencies: ["SuperviseState"], swiftSettings: strict),
        .testTarget(
            name: "SuperviseSettingsTests", dependencies: ["SuperviseSettings"],
            exclude: ["Shells"],
            swiftSettings: strict),
        .testTarget(
            name: "SuperviseControlTests", dependencies: ["SuperviseControl", "SuperviseState"],
            exclude: ["Golden"],
            swiftSettings: strict),
        .testTarget(
            name: "SuperviseMasterTests",
            dependencies: [
                "SuperviseLinux", "SuperviseMaster", "SuperviseSettings", "SuperviseState",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SuperviseClientTests",
            dependencies: ["SuperviseClient", "SuperviseControl"], swiftSettings: strict),
        .testTarget(
            name: "SuperviseLinuxTests", dependencies: ["CSupervisePage", "SuperviseLinux"],
            swiftSettings: strict),
        .testTarget(
            name: "SuperviseWorkerTests",
            dependencies: ["CSupervisePage", "SuperviseWorker", "SuperviseLinux"],
            swiftSettings: strict),
        .testTarget(
            name: "SupervisePreloadTests", dependencies: ["SuperviseLinux"],
            exclude: ["Programs"], swiftSettings: strict),
        .testTarget(
            name: "HouseRulesTests", dependencies: ["Background"], swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["supervise", "hello-worker", "SuperviseLinux"],
            exclude: ["Clients", "Servers", "Workers"],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
