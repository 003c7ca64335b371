package io.github.hmm4j;

import io.github.hmm4j.device.Device;
import io.github.hmm4j.device.opencl.ClAdvice;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClDevice;
import io.github.hmm4j.device.opencl.ClDeviceId;
import io.github.hmm4j.device.opencl.ClOptions;
import io.github.hmm4j.device.opencl.ClPlatforms;
import io.github.hmm4j.device.opencl.jocl.JoclClApi;
import io.github.hmm4j.device.opencl.lwjgl.LwjglClApi;
import io.github.hmm4j.error.NoDeviceException;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The OpenCL devices of this machine, and the choice among them.
public final class OpenClDevices {

    private static final Logger LOG = LoggerFactory.getLogger(OpenClDevices.class);

    /// The better one is greater.
    private static final Comparator<ClDeviceId> PREFERENCE = Comparator.<ClDeviceId>comparingInt(id -> switch (id.info().kind()) {
                case GPU -> id.info().unifiedMemory() ? 2 : 3;
                case ACCELERATOR -> 1;
                case CPU, OTHER -> 0;
            })
            .thenComparingLong(id -> id.info().memoryBytes());
    /// The same in words.
    private static final String ORDER = "discrete GPUs before integrated ones before other devices, then most memory";

    private OpenClDevices() {}

    /// Loads a binding.
    ///
    /// @throws NoDeviceException if it is not on the class path, or there is no OpenCL library; the message says what would help
    public static ClApi api(ClBinding binding) {
        if (!Objects.requireNonNull(binding, "binding").isPresent()) {
            throw ClAdvice.noBinding(binding);
        }
        return switch (binding) {
            case LWJGL -> LwjglClApi.load();
            case JOCL -> JoclClApi.load();
        };
    }

    /// Every usable device, numbered from 0 in the order of the drivers.
    public static List<ClDeviceId> list(ClBinding binding) {
        return ClPlatforms.devices(api(binding));
    }

    static List<? extends Device> open(ClBinding binding, String selector, boolean all, ClOptions options) {
        ClApi api = api(binding);
        ClPlatforms.Survey survey = ClPlatforms.survey(api);
        List<ClDeviceId> found = survey.usable();
        if (found.isEmpty()) {
            throw ClAdvice.noDevice(binding, survey.ignored());
        }
        List<ClDeviceId> chosen = all ? withoutTwins(matching(found, selector)) : List.of(choose(found, selector));
        for (ClDeviceId id : chosen) {
            LOG.info("using {} ({}): {}{}", id.info().name(), id.platformName(),
                    selector.isEmpty() ? "first choice of " + found.size() + ", " + ORDER : "matches " + selector, twins(found, id));
        }
        return ClDevice.openAll(api, chosen, options);
    }

    /// The one of `found` that [HmmBuilder#device(String)] stands for.
    ///
    /// @param selector as there; empty for the default
    /// @throws NoDeviceException if none matches; the message lists those there are
    public static ClDeviceId choose(List<ClDeviceId> found, String selector) {
        Objects.requireNonNull(found, "found");
        Objects.requireNonNull(selector, "selector");
        return withoutTwins(matching(found, selector.strip())).stream().max(PREFERENCE).orElseThrow();
    }

    /// The one of `found` that is taken in place of `id` unless that is asked for: the same hardware, shown by a driver
    /// that goes first. That is its maker's own, else the one that the loader names first. Empty if `id` goes first.
    public static Optional<ClDeviceId> insteadOf(List<ClDeviceId> found, ClDeviceId id) {
        Objects.requireNonNull(found, "found");
        Objects.requireNonNull(id, "id");
        return found.stream().filter(other -> other.isTwinOf(id)).filter(other -> id.hardware().makersDriver() == other.hardware().makersDriver()
                ? found.indexOf(other) < found.indexOf(id)
                : other.hardware().makersDriver()).findFirst();
    }

    private static List<ClDeviceId> withoutTwins(List<ClDeviceId> matching) {
        return matching.stream().filter(id -> insteadOf(matching, id).isEmpty()).toList();
    }

    /// By which other drivers a device could have been used, for people.
    private static String twins(List<ClDeviceId> found, ClDeviceId id) {
        List<String> others = found.stream().filter(id::isTwinOf).map(ClDeviceId::platformName).toList();
        return others.isEmpty() ? "" : "; the same device is not used through " + String.join(", ", others);
    }

    private static List<ClDeviceId> matching(List<ClDeviceId> found, String selector) {
        List<ClDeviceId> matching = selector.matches("\\d{1,9}") && Integer.parseInt(selector) < found.size()
                ? found.stream().skip(Integer.parseInt(selector)).limit(1).toList()
                : found.stream().filter(id -> text(id).contains(selector.toLowerCase(Locale.ROOT))).toList();
        if (matching.isEmpty()) {
            List<String> names = IntStream.range(0, found.size()).mapToObj(i -> i + ": " + found.get(i).info().name()).toList();
            throw new NoDeviceException("no device matches device=" + selector + "; there are " + names);
        }
        return matching;
    }

    private static String text(ClDeviceId id) {
        return (id.info().name() + " " + id.info().vendor() + " " + id.platformName()).toLowerCase(Locale.ROOT);
    }
}
