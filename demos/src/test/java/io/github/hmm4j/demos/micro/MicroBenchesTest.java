package io.github.hmm4j.demos.micro;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.mirror.SnapshotCode;
import io.github.hmm4j.space.PageRange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The benchmarks are found, and their bodies do what they say; nothing is measured here.
class MicroBenchesTest {
    @Test
    void findsThemAllAndEachSaysWhatItMeasures() throws UsageException, IOException {
        List<String> names = MicroBenches.matching("");
        assertThat(names).containsExactly("Launches.bareOpenCl", "Launches.resident", "Launches.residentManyPages",
            "Plans.scanMixedPage", "Plans.scanResidentPage", "Snapshots.eachPage",
            "Snapshots.onePage", "TransparentViews.readOnePage", "TransparentViews.writeOnePage", "Views.readOnePage",
            "Views.readSixteenPages", "Views.writeOnePage", "Words.bareCompareAndSet", "Words.pinAndUnpin",
            "Words.transition");
        assertThat(names).extracting(MicroBenches::sentence).doesNotHaveDuplicates();
        String page = Files.readString(Path.of("docs", "micro.md"));
        assertThat(names).allSatisfy(name -> assertThat(page).contains(name));
    }

    @Test
    void runsOnlyWhatMatches() throws UsageException {
        assertThat(MicroBenches.matching("Words.*And")).containsExactly("Words.bareCompareAndSet", "Words.pinAndUnpin");
        assertThatExceptionOfType(UsageException.class).isThrownBy(() -> MicroBenches.matching("nosuch"))
            .withMessageContaining("'nosuch'").withMessageContaining("Words.transition");
        assertThatExceptionOfType(UsageException.class).isThrownBy(() -> MicroBenches.matching("("))
            .withMessageContaining("'('");
    }

    @Test
    void wordsChange() {
        Words words = new Words();
        words.bareCompareAndSet();
        words.transition();
        words.transition();
        words.pinAndUnpin();
        words.close();
    }

    @Test
    void plansFindWhatIsMissing() {
        Plans plans = new Plans();
        assertThat(plans.scanResidentPage()).isEmpty();
        assertThat(plans.scanMixedPage()).hasSize(PagesInRuns.PAGES / 32)
            .allSatisfy(range -> assertThat(range.count()).isEqualTo(16));
        plans.close();
    }

    @Test
    void snapshotsSayWherePagesAre() {
        Snapshots snapshots = new Snapshots();
        PageRange pages = snapshots.eachPage().pages();
        assertThat(pages.count()).isEqualTo(PagesInRuns.PAGES);
        assertThat(snapshots.eachPage().codes().stream().filter(code -> code == SnapshotCode.NONE)).hasSize(PagesInRuns.PAGES / 2);
        assertThat(snapshots.onePage().pages().count()).isEqualTo(1);
        snapshots.close();
    }

    @Test
    void viewsOpenWhatTheySay() {
        Views views = new Views();
        assertThat(views.readOnePage()).isEqualTo(64 << 10);
        assertThat(views.writeOnePage()).isEqualTo(64 << 10);
        assertThat(views.readSixteenPages()).isEqualTo(1 << 20);
        views.close();
    }

    @Test
    void transparentViewsOpenWhatTheySay() {
        try (Hmm hmm = Hmm.builder().heap(1 << 20).open()) {
            assumeThat(hmm.hostAccess().mode().isTransparent()).as("transparent access: %s", hmm.hostAccess()).isTrue();
        }
        TransparentViews views = new TransparentViews();
        assertThat(views.readOnePage()).isEqualTo(64 << 10);
        assertThat(views.writeOnePage()).isEqualTo(64 << 10);
        views.close();
    }

    @Test
    void launchesRun() {
        Launches launches = new Launches();
        launches.bareOpenCl();
        assertThat(launches.resident().moves().rounds()).isZero();
        assertThat(launches.residentManyPages().moves().rounds()).isZero();
        launches.close();
    }
}
