package io.github.hmm4j.timeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.account.Accounts;
import io.github.hmm4j.account.Counter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceFileTest {

    @TempDir
    private Path folder;

    private final Accounts accounts = new Accounts();

    private static LaunchEvent launch(Timeline timeline, String kernel, long command) {
        LaunchEvent event = timeline.launch();
        assertThat(event).isNotNull();
        event.of(kernel, 0, "dev", 4096);
        event.passed(1, 4096, 1, command);
        timeline.end(event);
        return event;
    }

    @Test
    void anEmptyTraceIsAnEmptyArray() throws IOException {
        Path file = folder.resolve("t.json");
        TraceFile.create(file).close();
        assertThat(TraceEvents.of(file)).isEmpty();
    }

    @Test
    void aSliceSaysWhoWhenAndWhat() throws IOException {
        Path file = folder.resolve("t.json");
        LaunchEvent event;
        try (TraceFile trace = TraceFile.create(file)) {
            event = launch(new Timeline(accounts, trace.part()), "k \"\\\u00e9\n", 5);
        }
        List<Map<String, Object>> events = TraceEvents.of(file);
        Map<String, Object> slice = TraceEvents.some(events, "launch", "X").getFirst();
        assertThat(slice.get("name")).isEqualTo("launch k \"\\\u00e9\n");
        assertThat(slice.get("tid")).isEqualTo((double) Thread.currentThread().threadId());
        assertThat(TraceEvents.micros(slice, "dur") * 1000).isEqualTo((double) (event.endedNanos() - event.beganNanos()));
        assertThat(TraceEvents.number(slice, "copiedBytes")).isEqualTo(4096);
        assertThat(TraceEvents.some(events, "launch", "s")).singleElement().satisfies(arrow -> assertThat(arrow.get("id")).isEqualTo("1.0.5"));
        assertThat(events.stream().filter(each -> each.get("name").equals("process_name"))).hasSize(1);
    }

    @Test
    void heapsAreProcesses() throws IOException {
        Path file = folder.resolve("t.json");
        try (TraceFile trace = TraceFile.create(file)) {
            launch(new Timeline(accounts, trace.part()), "a", 0);
            launch(new Timeline(accounts, trace.part()), "b", 0);
        }
        assertThat(TraceEvents.some(TraceEvents.of(file), "launch", "X")).extracting(event -> event.get("pid")).containsExactly(1.0, 2.0);
    }

    @Test
    void whatFindsNoRoomIsCounted() throws IOException {
        Path file = folder.resolve("t.json");
        TraceFile trace = TraceFile.stalled(file, 3);
        Timeline timeline = new Timeline(accounts, trace.part());
        for (int i = 0; i < 5; i++) {
            launch(timeline, "k", 0);
        }
        timeline.lost(10);
        trace.close();
        assertThat(trace.lost()).isEqualTo(12);
        assertThat(accounts.count(Counter.TRACE_LOST)).isEqualTo(12);
        List<Map<String, Object>> events = TraceEvents.of(file);
        assertThat(TraceEvents.some(events, "launch", "X")).hasSize(3);
        assertThat(TraceEvents.some(events, "lost", "i")).singleElement().satisfies(event -> assertThat(TraceEvents.number(event, "lost")).isEqualTo(12));
    }

    @Test
    void afterTheEndNothingIsTaken() throws IOException {
        TraceFile trace = TraceFile.create(folder.resolve("t.json"));
        Timeline timeline = new Timeline(accounts, trace.part());
        trace.close();
        trace.close();
        launch(timeline, "late", 0);
        assertThat(accounts.count(Counter.TRACE_LOST)).isEqualTo(1);
    }

    @Test
    void aFullDiskIsAnErrorAtTheEnd() throws IOException {
        Path full = Path.of("/dev/full");
        org.junit.jupiter.api.Assumptions.assumeTrue(Files.isWritable(full), "there is no /dev/full");
        TraceFile trace = TraceFile.create(full);
        launch(new Timeline(accounts, trace.part()), "k", 0);
        assertThatThrownBy(trace::close).hasMessageContaining("trace file=/dev/full is not complete").hasRootCauseInstanceOf(IOException.class);
    }

    @Test
    void nobodyWantsAnything() {
        Timeline timeline = new Timeline(accounts, null);
        assertThat(timeline.launch()).isNull();
        assertThat(timeline.migration()).isNull();
        assertThat(timeline.wantsServed()).isFalse();
        assertThat(timeline.wantsCommands()).isFalse();
    }
}
