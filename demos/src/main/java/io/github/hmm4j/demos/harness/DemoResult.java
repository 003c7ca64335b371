package io.github.hmm4j.demos.harness;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What a demo found.
///
/// @param ok both programs gave the right result
/// @param device as the device calls itself
/// @param binding `lwjgl` or `jocl`
/// @param hostAccess how Java touches managed memory, as the runtime calls it
/// @param explicit what the program that copies took; empty if it did not run
/// @param managed what the program on the managed heap took; empty if it did not run
/// @param counts what else the demo counts, by name in the order given: `reached`, `of`, `depth`
/// @param error why it is not ok, in a sentence
public record DemoResult(String name, boolean ok, String device, String binding, String hostAccess,
    Optional<TwinResult> explicit, Optional<TwinResult> managed, Map<String, Object> counts, Optional<String> error) {
    public DemoResult {
        counts = Collections.unmodifiableMap(new LinkedHashMap<>(counts));
    }

    /// A demo that could not be carried out.
    public static DemoResult failed(String name, DeviceChoice choice, String error) {
        return new DemoResult(name, false, choice.device().orElse(""), choice.binding().toString(), "",
            Optional.empty(), Optional.empty(), Map.of(), Optional.of(error));
    }

    /// One flat JSON object: the counts stand beside `name` and `ok`, and so do time and bytes of the managed program;
    /// each program has its own figures under `explicit` and `managed`.
    public Map<String, @Nullable Object> toJson() {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("name", name);
        json.put("ok", ok);
        json.put("device", device);
        json.put("binding", binding);
        json.put("hostAccess", hostAccess);
        json.put("timeMs", managed.map(twin -> twin.nanos() / 1e6).orElse(null));
        json.put("bytesToDevice", managed.map(TwinResult::bytesToDevice).orElse(null));
        json.put("bytesToHost", managed.map(TwinResult::bytesToHost).orElse(null));
        json.putAll(counts);
        json.put("explicit", explicit.map(DemoResult::twin).orElse(null));
        json.put("managed", managed.map(DemoResult::twin).orElse(null));
        error.ifPresent(text -> json.put("error", text));
        return json;
    }

    private static Map<String, Object> twin(TwinResult twin) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("timeMs", twin.nanos() / 1e6);
        json.put("firstMs", twin.firstNanos() / 1e6);
        json.put("bytesToDevice", twin.bytesToDevice());
        json.put("bytesToHost", twin.bytesToHost());
        json.put("pages", twin.pages());
        json.put("views", twin.views());
        json.put("faults", twin.faults());
        json.put("linesOfCode", twin.linesOfCode());
        return json;
    }
}
