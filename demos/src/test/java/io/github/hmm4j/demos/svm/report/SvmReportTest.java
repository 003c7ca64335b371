package io.github.hmm4j.demos.svm.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Cell.Status;
import io.github.hmm4j.demos.svm.Crafted;
import io.github.hmm4j.demos.svm.Estimate;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.SvmResults;
import io.github.hmm4j.demos.svm.Workload;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

class SvmReportTest {
    private static final Pattern NUMBERS_IN_PICTURES = Pattern.compile(" (?:d|x|y|cx|cy|r|width|height|viewBox|transform)=\"([^\"]*)\"");

    @TempDir
    static Path full;

    @TempDir
    Path folder;

    /// Once for all who only read it.
    @BeforeAll
    static void writeFullReport() throws IOException {
        new SvmReport(Crafted.full()).writeTo(full.resolve("a/b"));
    }

    @Test
    void resultsCanBeReadBack() throws IOException {
        assertThat(ResultsFile.read(full.resolve("a/b/results.json"))).isEqualTo(Crafted.full());
    }

    /// Egypt has digits of its own, Germany a comma in its numbers.
    @ParameterizedTest
    @ValueSource(strings = {"ar-EG", "de-DE"})
    void everyFileIsTheSameInEveryLanguage(String language) throws IOException {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag(language));
        try {
            new SvmReport(Crafted.full()).writeTo(folder);
        } finally {
            Locale.setDefault(before);
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).hasSizeGreaterThan(3)
                .allSatisfy(file -> assertThat(file).hasSameTextualContentAs(full.resolve("a/b").resolve(file.getFileName())));
        }
    }

    @Test
    void aFileThatIsNoResultsIsRefusedByName() throws IOException {
        for (String text : List.of("", "[]", "nonsense", "{}", "{\"format\": 2}", "{\"format\": 1, \"cells\": [{\"workload\": \"flying\"}]}")) {
            Path file = Files.writeString(folder.resolve("x.json"), text);
            assertThatThrownBy(() -> ResultsFile.read(file)).as(text).isInstanceOf(IOException.class).hasMessageContaining("x.json");
        }
    }

    @Test
    void fieldsThatAFileLacksAreEmpty() throws IOException {
        SvmResults results = ResultsFile.read(Files.writeString(folder.resolve("x.json"), "{\"format\": 1}"));
        assertThat(results.cells()).isEmpty();
        assertThat(html(results)).contains("Nothing can be said");
    }

    @Test
    void theDocumentationSaysOfEachOperationWhatTheReportSays() throws IOException {
        String document = Files.readString(Path.of("docs/svm.md"));
        for (Workload workload : Workload.values()) {
            assertThat(document).contains("| `" + workload + "` | " + workload.operation() + " |");
            assertThat(fullHtml()).contains("One operation: " + workload.operation() + ".");
        }
    }

    @Test
    void thePictureWarnsOfNoise() throws IOException {
        new SvmReport(Crafted.results(List.of(Crafted.cell(Workload.STREAM, Strategy.COPIES_PAGEABLE, 4096, Crafted.wall(1000, 800, 1600)),
            Crafted.cell(Workload.STREAM, Strategy.SVM_FINE, 4096, Crafted.wall(1700, 1600, 1800)),
            Crafted.cell(Workload.STREAM, Strategy.HMM_CHECKED, 4096, 5000)))).writeTo(folder);
        assertThat(Files.readString(folder.resolve("overview.svg"))).contains("Busy or noisy machine", ">1.70\u00d7 ?<", "field undecided");
        assertThat(Files.readString(full.resolve("a/b/overview.svg"))).doesNotContain("Busy or noisy machine");
    }

    /// Medians of 1000, 1100 and 2000 whose intervals are 13 % wide to both sides: of the first two either may be the
    /// fastest, and 1740 / 1130 is left over for the third.
    @Test
    void inANoisyRunPicturesAndTablesSayOnlyWhatIsCertain() throws IOException {
        SvmResults results = Crafted.results(List.of(noisy(Strategy.COPIES_PAGEABLE, 1000),
            noisy(Strategy.SVM_FINE, 1100), noisy(Strategy.HMM_CHECKED, 2000)));
        String html = html(results);
        for (String page : List.of(html, Files.readString(folder.resolve("overview.svg")))) {
            assertThat(page).contains(">\u22651.53\u00d7<", ">?<", "at 4 KiB, no clear winner",
                    "\u22652.0\u00d7 is at least twice as long")
                .doesNotContain(">1.10\u00d7", ">2.0\u00d7<", ">best<", ">level<", "best 1.00 us");
        }
        assertThat(html).contains(">\u22651.5\u00d7<", "<td>not told apart</td>", "<td>at least 1.53\u00d7</td>",
                "bar undecided s-copies-pageable")
            .doesNotContain("<td>fastest</td>", "class=\"leads\"", "td class=\"best\"");
        assertThat(new SvmReport(results).terminal()).contains("1.00 us~", "1.10 us~").doesNotContain(" us*");
    }

    private static Cell noisy(Strategy strategy, double median) {
        return Crafted.cell(Workload.STREAM, strategy, 4096,
            new Estimate(median, median * 0.87, median * 1.13, 0.96, median, median, median, median, 0.3, 25));
    }

    @Test
    void theCsvHasARowForEachCellAndTheSameFieldsInEach() {
        Cell odd = Crafted.failed(Workload.STREAM, Strategy.SVM_FINE, 4096, "said \"no\",\nthen died");
        Cell few = Crafted.cell(Workload.STREAM, Strategy.HMM_CHECKED, 4096, Crafted.wall(1.5, 1, Double.NaN));
        String csv = Csv.of(List.of(odd, few));
        assertThat(csv).contains("stream,svm.fine,4096,FAILED,\"said \"\"no\"\",\nthen died\",,,,");
        assertThat(csv).contains("stream,hmm.checked,4096,MEASURED,,1.5,1.0,,0.96,");
        String[] rows = Csv.of(Crafted.full().cells()).split("\r\n", -1);
        assertThat(rows).hasSize(1 + Crafted.full().cells().size() + 1);
        for (int i = 1; i < rows.length - 1; i++) {
            assertThat(rows[i].split(",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", -1)).as(rows[i]).hasSameSizeAs(rows[0].split(","));
        }
    }

    @Test
    void theTerminalShowsTablesAndVerdicts() {
        String text = new SvmReport(Crafted.full()).terminal();
        assertThat(text).contains("Stream once - Each byte", "explicit copies (pinned staging)", "unsupp.", "FAILED", " us?", " us*",
            "Up to 16 KiB fine-grained SVM buffer", "CL_DEVICE_SVM_FINE_GRAIN_SYSTEM is not set", "On Imaginary 9000: ");
        assertThat(text.lines().filter(line -> line.length() > 112)).isEmpty();
    }

    @Test
    void thePageIsWellFormedAndNeedsNothingElse() throws Exception {
        String html = fullHtml();
        assertThat(html).doesNotContainPattern("https?:|src=|href=\"[^#]|url\\(|@import|javascript:|undefined|fetch\\(|<script [^>]");
        assertThat(html.split("<script>", -1)).as("scripts").hasSize(2);
        assertThat(html).contains("Nobody &amp; Sons &lt;nobody&gt;").doesNotContain("<nobody>", "<done>", "<word 17>");
        Document page = parse(html.substring(html.indexOf('\n')));
        NodeList pictures = page.getElementsByTagName("svg");
        int charts = 0;
        for (int i = 0; i < pictures.getLength(); i++) {
            Element picture = (Element) pictures.item(i);
            boolean icon = picture.getAttribute("class").equals("icon");
            charts += icon ? 0 : 1;
            assertThat(icon ? picture.getAttribute("aria-hidden") : picture.getElementsByTagName("desc").item(0).getTextContent()).isNotBlank();
        }
        // Two overviews; for each workload time and bytes; for three of them latencies.
        assertThat(charts).isEqualTo(2 + 2 * Workload.values().length + 3);
    }

    @Test
    void everyIdIsThereOnce() throws Exception {
        Matcher ids = Pattern.compile(" id=\"([^\"]*)\"").matcher(fullHtml());
        assertThat(ids.results().map(id -> id.group(1)).toList()).doesNotHaveDuplicates();
    }

    @Test
    void theContentsLeadToEverySection() throws Exception {
        String html = fullHtml();
        List<String> sections = Pattern.compile("<section[^>]* id=\"([^\"]*)\"").matcher(html).results().map(id -> id.group(1)).toList();
        String contents = html.substring(html.indexOf("<nav"), html.indexOf("</nav>"));
        assertThat(Pattern.compile("href=\"#([^\"]*)\"").matcher(contents).results().map(id -> id.group(1)).toList())
            .containsExactlyInAnyOrderElementsOf(sections).hasSizeGreaterThan(Workload.values().length);
        assertThat(Pattern.compile("href=\"#([^\"]*)\"").matcher(html).results().map(id -> id.group(1)).toList()).allMatch(sections::contains);
    }

    /// What the script chooses from, and all there is without it.
    @Test
    void everyCaseIsInThePageWithoutAScript() throws Exception {
        String html = fullHtml();
        SvmReport report = new SvmReport(Crafted.full());
        assertThat(html).contains("<form id=\"picker\" hidden=\"hidden\">");
        assertThat(html.split("class=\"case\"", -1)).hasSize(1 + Workload.values().length * 8);
        report.verdicts().forEach(verdict -> assertThat(html).contains("<dd>" + verdict.advice() + "</dd>",
            "<h3>" + verdict.workload().title() + ", 64 KiB</h3><p class=\"use\">" + verdict.advice(64 << 10) + "</p>"));
    }

    @Test
    void everyNumberInThePicturesIsOne() throws Exception {
        String pictures = fullHtml() + Files.readString(full.resolve("a/b/overview.svg"));
        assertThat(pictures).doesNotContain("NaN", "Infinity");
        List<String> numbers = NUMBERS_IN_PICTURES.matcher(pictures).results().map(each -> each.group(1)).toList();
        assertThat(numbers).hasSizeGreaterThan(1000).allMatch(each -> each.matches("(?:[MLHVhvaz ()]|translate|rotate|-?\\d+(?:\\.\\d+)?)+"));
    }

    @Test
    void thePictureStandsAlone() throws Exception {
        String picture = Files.readString(full.resolve("a/b/overview.svg"));
        assertThat(picture.replace("http://www.w3.org/2000/svg", "")).doesNotContain("http", "var(", "url(");
        assertThat(parse(picture).getDocumentElement().getTagName()).isEqualTo("svg");
    }

    @Test
    void everythingUnsupportedOrFailedIsARow() throws Exception {
        String html = fullHtml();
        List<Cell> without = Crafted.full().cells().stream().filter(cell -> cell.status() != Status.MEASURED).toList();
        assertThat(Pattern.compile("<td class=\"why").matcher(html).results().count()).isEqualTo(without.size());
        assertThat(html).contains("failed: wrong result: expected 0x3f, got 0x40 at &lt;word 17&gt;");
    }

    @Test
    void aCpuIsNamedAsOneInTheTitle() throws Exception {
        String html = html(Crafted.results("CPU", "pthread-x", List.of(Crafted.cell(Workload.STREAM, Strategy.SVM_FINE, 4096, 1000))));
        assertThat(html).contains("<title>SVM, copies or paging on pthread-x (CPU device)</title>", "Measured on pthread-x (CPU device)");
    }

    @Test
    void littleOrNothingMeasuredStillMakesAReport() throws Exception {
        Cell single = Crafted.cell(Workload.STREAM, Strategy.SVM_FINE, 4096, Crafted.tooFew(1000));
        Cell none = Crafted.notSupported(Workload.CHASE, Strategy.SVM_FINE, 4096, "no\u0001thing");
        for (List<Cell> cells : List.of(List.<Cell>of(), List.of(single), List.of(none), List.of(single, none))) {
            String html = html(Crafted.results(cells));
            parse(html.substring(html.indexOf('\n')));
            parse(Files.readString(folder.resolve("overview.svg")));
            assertThat(html).contains("Nothing can be said");
        }
    }

    /// Maps without an order take one from a salt of the process, so within one process two writings agree anyway: the order itself is looked at.
    @Test
    void nothingInThePageDependsOnTheOrderOfAMapWithoutOne() throws Exception {
        Matcher ticks = Pattern.compile(">(p\\d[\\d.]*)</text>").matcher(fullHtml());
        List<String> names = ticks.results().map(each -> each.group(1)).toList();
        assertThat(names).isNotEmpty();
        List<String> known = List.of("p50", "p90", "p99", "p99.9", "p99.99");
        for (int i = 1; i < names.size(); i++) {
            assertThat(known.indexOf(names.get(i))).as("%s", names).isIn(0, known.indexOf(names.get(i - 1)) + 1);
        }
        new SvmReport(ResultsFile.read(full.resolve("a/b/results.json"))).writeTo(folder);
        for (String name : List.of("report.html", "overview.svg", "results.csv", "results.json")) {
            assertThat(folder.resolve(name)).hasSameTextualContentAs(full.resolve("a/b").resolve(name));
        }
    }

    private static String fullHtml() throws IOException {
        return Files.readString(full.resolve("a/b/report.html"));
    }

    private String html(SvmResults results) throws IOException {
        new SvmReport(results).writeTo(folder);
        return Files.readString(folder.resolve("report.html"));
    }

    private static Document parse(String xml) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder()
            .parse(new ByteArrayInputStream(xml.strip().getBytes(StandardCharsets.UTF_8)));
    }
}
