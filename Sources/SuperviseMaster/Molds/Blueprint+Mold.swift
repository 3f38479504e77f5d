import SuperviseLinux
import SuperviseSettings

extension Blueprint {
    /// What the workers of a pool are forked from.
    enum Mold {
        /// Nothing: they are exec'd.
        case off
        /// Nothing, although the settings ask for a mold; the text states why.
        case impossible(String)
        /// The process of this plan.
        case plan(MoldPlan)
    }

    /// Selects what the workers of a pool are forked from.
    static func mold(
        _ settings: PoolSettings, _ adoption: Adoption, _ environment: [String],
        _ attributes: SpawnAttributes, descriptorCount: Int
    ) -> Mold {
        guard settings.mold != .off else { return .off }
        guard adoption.way != .seccomp else {
            return .impossible(
                "the program cannot load the preload library, and a filter for its bind() is installed "
                    + "only when a program is executed; set adopt = off or mold = off")
        }
        guard descriptorCount <= ForkLauncher.mostDescriptors else {
            return .impossible(
                "its workers get \(descriptorCount) descriptors, and a start order passes at most "
                    + "\(ForkLauncher.mostDescriptors); reduce the number of listeners or set "
                    + "mold = off")
        }
        do throws(MoldCommand.Obstacle) {
            return .plan(
                try MoldPlan(
                    settings, descriptorCount: descriptorCount, environment: environment,
                    attributes: attributes))
        } catch {
            return .impossible(error.text)
        }
    }
}
