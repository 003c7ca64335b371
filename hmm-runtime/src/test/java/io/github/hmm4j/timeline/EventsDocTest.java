package io.github.hmm4j.timeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.ParseException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.jfr.Configuration;
import jdk.jfr.EventType;
import jdk.jfr.ValueDescriptor;
import org.junit.jupiter.api.Test;

/// The event classes are the source of `docs/events.md`, and `docs/hmm4j.jfc` switches all of them on. After a change run this with `-Dhmm.docs.write=true` once.
class EventsDocTest {

    private static final Path PAGE = Path.of("docs/events.md");
    private static final Set<String> OF_THE_RECORDER = Set.of("startTime", "duration", "eventThread", "stackTrace");

    @Test
    void pageOfEventsIsFresh() throws IOException {
        String page = page();
        if (Boolean.getBoolean("hmm.docs.write")) {
            Files.writeString(PAGE, page);
        }
        assertThat(Files.readString(PAGE)).isEqualTo(page);
    }

    @Test
    void everyFieldIsExplained() {
        for (EventType event : events()) {
            assertThat(event.getCategoryNames()).as(event.getName()).containsExactly("hmm4j");
            assertThat(event.getLabel()).as(event.getName()).isNotBlank();
            assertThat(event.getDescription()).as(event.getName()).isNotBlank();
            assertThat(fields(event)).as(event.getName()).isNotEmpty()
                    .allSatisfy(field -> assertThat(field.getDescription()).as(field.getName()).isNotBlank())
                    .allSatisfy(field -> assertThat(field.getLabel()).as(field.getName()).isNotBlank());
            assertThat(event.isEnabled()).as("%s is off unless asked for", event.getName()).isFalse();
        }
    }

    @Test
    void theExampleSettingsSwitchEveryEventOn() throws IOException, ParseException {
        Set<String> on;
        try (Reader settings = Files.newBufferedReader(Path.of("docs/hmm4j.jfc"))) {
            on = Configuration.create(settings).getSettings().entrySet().stream()
                    .filter(setting -> setting.getKey().endsWith("#enabled") && setting.getValue().equals("true"))
                    .map(setting -> setting.getKey().replace("#enabled", "")).collect(Collectors.toSet());
        }
        assertThat(on).isEqualTo(events().stream().map(EventType::getName).collect(Collectors.toSet()));
    }

    private static List<EventType> events() {
        return classes(TimelineEvent.class).map(EventType::getEventType).toList();
    }

    private static Stream<Class<? extends TimelineEvent>> classes(Class<?> sealed) {
        return Arrays.stream(sealed.getPermittedSubclasses())
                .flatMap(type -> type.isSealed() ? classes(type) : Stream.of(type.asSubclass(TimelineEvent.class)));
    }

    private static List<ValueDescriptor> fields(EventType event) {
        return event.getFields().stream().filter(field -> !OF_THE_RECORDER.contains(field.getName())).toList();
    }

    private static String page() {
        StringBuilder text = new StringBuilder("""
                # Events
                Generated from the classes of the package `timeline`; a test fails when it is stale. They are events of the JDK's flight recorder, off unless a recording asks for them
                ([hmm4j.jfc](hmm4j.jfc) asks for all), and what a trace file shows ([timeline.md](../../demos/docs/timeline.md)), with these fields as arguments.
                """);
        for (EventType event : events()) {
            text.append("\n## ").append(event.getName()).append("\n").append(event.getDescription()).append(".\n\n| field | unit | what |\n| --- | --- | --- |\n");
            for (ValueDescriptor field : fields(event)) {
                text.append("| `").append(field.getName()).append("` | ").append(unit(field)).append(" | ").append(field.getDescription()).append(" |\n");
            }
        }
        return text.toString();
    }

    private static String unit(ValueDescriptor field) {
        return field.getAnnotationElements().stream().map(annotation -> switch (annotation.getTypeName()) {
            case "jdk.jfr.DataAmount" -> "bytes";
            case "jdk.jfr.Timespan" -> "ns";
            case "jdk.jfr.MemoryAddress" -> "address";
            default -> "";
        }).filter(unit -> !unit.isEmpty()).findFirst().orElse("");
    }
}
