package io.github.hmm4j.demos.svm.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.hmm4j.demos.svm.Crafted;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The report in headless Chromium, on a wide screen and a narrow one: nothing sticks out, no label is cut off or covered, and the choice of
/// a case shows it.
///
/// Frames stand for screens, since a window of Chromium cannot be narrower than 500 pixels. A script that only the copies
/// here have sends what it has found to the page around the frames, which writes it down for us.
@Tag("exhaustive")
class ReportInBrowserTest {
    private static final List<Integer> WIDTHS = List.of(1280, 420);

    private static final String SCRIPT = """
        <script>
        addEventListener('load', () => {
          const pick = (id, name) => {
            const list = document.getElementById(id);
            list.value = name;
            list.dispatchEvent(new Event('change'));
          };
          const picked = [];
          for (const [workload, size] of [['Stream once', '64 KiB'], ['Pointer chasing', ''], ['Pointer chasing', '64 MiB']]) {
            pick('pick-workload', workload);
            if (size) pick('pick-size', size);
            picked.push(document.querySelector('#picked h3').textContent);
          }
          const choice = ['picker', 'picked', 'cases'].filter(id => document.getElementById(id).getBoundingClientRect().height > 0);
          document.querySelectorAll('details').forEach(each => each.open = true);
          const shown = [...document.querySelectorAll('svg')].filter(each => each.getBoundingClientRect().width > 0);
          const cut = [], covered = [], crossed = [];
          for (const svg of shown) {
            const frame = svg.getBoundingClientRect();
            const texts = [...svg.querySelectorAll('text')].map(each => [each.textContent, each.getBoundingClientRect()]);
            const id = svg.getAttribute('aria-labelledby') + ': ';
            const axes = [...svg.querySelectorAll('path.axis')].map(each => each.getBoundingClientRect());
            for (const [text, box] of texts) {
              const onto = axes.some(axis => axis.left > box.left + 1 && axis.left < box.right - 1 && axis.top < box.bottom - 1 && axis.bottom > box.top + 1);
              if (onto) crossed.push(id + text);
              if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) cut.push(id + text);
            }
            for (let i = 0; i < texts.length; i++) for (let j = i + 1; j < texts.length; j++) {
              const a = texts[i][1], b = texts[j][1];
              const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left), high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
              if (wide > 1 && high > Math.min(a.height, b.height) / 3) covered.push(id + texts[i][0] + ' / ' + texts[j][0]);
            }
          }
          const root = document.documentElement;
          parent.postMessage(JSON.stringify({
            screen: location.search.slice(1), inner: innerWidth, scroll: root.scrollWidth, pictures: shown.length, picked, choice, cut, covered, crossed,
            ground: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.body).color
          }), '*');
        });
        </script>
        """;

    @TempDir
    Path folder;

    @BeforeEach
    void needsChromium() {
        boolean found = Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
            .anyMatch(each -> !each.isEmpty() && Files.isExecutable(Path.of(each, "chromium")));
        assumeTrue(found, "chromium is not installed (Debian package: chromium)");
    }

    /// What is made up has everything that there can be; what was measured has sizes that do not lie evenly.
    @ParameterizedTest
    @ValueSource(strings = {"made up", "results/pocl-cpu-2-cores/2026-11-30/svm/results.json"})
    void fitsWideAndNarrowScreensInBothThemes(String from) throws Exception {
        new SvmReport(from.equals("made up") ? Crafted.full() : ResultsFile.read(Path.of(from))).writeTo(folder);
        String html = Files.readString(folder.resolve("report.html"));
        Files.writeString(folder.resolve("report.html"), html.replace("</head>", SCRIPT + "</head>"));
        StringBuilder frames = new StringBuilder("<!DOCTYPE html><body><script>addEventListener('message', e => {"
            + " const pre = document.createElement('pre'); pre.textContent = e.data; document.body.append(pre); });</script>");
        for (int width : WIDTHS) {
            for (String theme : List.of("dark", "light")) {
                frames.append("<iframe src='report.html?%s-%d' style='border:0;height:900px;width:%dpx;color-scheme:%s'></iframe>"
                    .formatted(theme, width, width, theme));
            }
        }
        Map<String, JsonObject> screens = open(Files.writeString(folder.resolve("frames.html"), frames));
        assertThat(screens).containsOnlyKeys("dark-1280", "light-1280", "dark-420", "light-420");
        screens.forEach((screen, found) -> {
            assertThat(screen).endsWith("-" + found.get("inner").getAsInt());
            assertThat(found.get("scroll").getAsInt()).as("width of the page: %s", screen).isLessThanOrEqualTo(found.get("inner").getAsInt());
            assertThat(found.get("pictures").getAsInt()).isGreaterThan(20);
            assertThat(found.get("picked").toString()).isEqualTo("[\"Stream once, 64 KiB\",\"Pointer chasing, 64 KiB\",\"Pointer chasing, 64 MiB\"]");
            assertThat(found.get("choice").toString()).as("shown, and so in place of all cases").isEqualTo("[\"picker\",\"picked\"]");
            assertThat(found.getAsJsonArray("cut")).as("labels cut off: %s", screen).isEmpty();
            assertThat(found.getAsJsonArray("crossed")).as("labels across an axis: %s", screen).isEmpty();
            assertThat(found.getAsJsonArray("covered")).as("labels on labels: %s", screen).isEmpty();
            assertThat(brightness(found, "ground") < 60).isEqualTo(screen.startsWith("dark"));
            assertThat(brightness(found, "ink") > 200).isEqualTo(screen.startsWith("dark"));
        });
    }

    /// What the script found, by the frame's theme and width.
    private Map<String, JsonObject> open(Path page) throws IOException, InterruptedException {
        Path dom = folder.resolve("dom.html");
        Process chromium = new ProcessBuilder("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--user-data-dir=" + folder.resolve("profile"), "--window-size=1400,1000", "--virtual-time-budget=5000", "--dump-dom", page.toUri().toString())
            .redirectOutput(dom.toFile()).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try {
            assertThat(chromium.waitFor(60, TimeUnit.SECONDS)).as("chromium ended").isTrue();
        } finally {
            chromium.destroyForcibly();
        }
        Map<String, JsonObject> found = new LinkedHashMap<>();
        Matcher messages = Pattern.compile("<pre>(.*?)</pre>", Pattern.DOTALL).matcher(Files.readString(dom));
        while (messages.find()) {
            String json = messages.group(1).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            JsonObject message = JsonParser.parseString(json).getAsJsonObject();
            found.put(message.get("screen").getAsString(), message);
        }
        return found;
    }

    private static int brightness(JsonObject found, String what) {
        Matcher rgb = Pattern.compile("rgb\\((\\d+), (\\d+), (\\d+)\\)").matcher(found.get(what).getAsString());
        assertThat(rgb.matches()).as(found.get(what).getAsString()).isTrue();
        return (Integer.parseInt(rgb.group(1)) + Integer.parseInt(rgb.group(2)) + Integer.parseInt(rgb.group(3))) / 3;
    }
}
