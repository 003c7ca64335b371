package io.github.hmm4j;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.lang.foreign.Linker;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The packages have numbers, and imports only go down. Each rule is also shown something that it must refuse.
class ArchitectureTest {
    private static final String ROOT = "io.github.hmm4j";

    /// The packages by layer, named from the root down; the root itself is "". Equal numbers never meet.
    private static final Map<String, Integer> LAYER = Map.ofEntries(
            Map.entry("", 7),
            Map.entry("pager", 6),
            Map.entry("migrate", 5),
            Map.entry("policy", 5),
            Map.entry("mirror", 4),
            Map.entry("device", 3),
            Map.entry("page", 2),
            Map.entry("space", 1),
            Map.entry("timeline", 1),
            Map.entry("account", 0),
            Map.entry("error", 0));

    private static final ArchRule IMPORTS_GO_DOWN = classes().should(onlyImportDownwards());

    private static final ArchRule LWJGL_IN_ONE_PLACE = noClasses()
            .that().resideOutsideOfPackage(ROOT + ".device.opencl.lwjgl..")
            .should().dependOnClassesThat().resideInAPackage("org.lwjgl..");

    private static final ArchRule JOCL_IN_ONE_PLACE = noClasses()
            .that().resideOutsideOfPackage(ROOT + ".device.opencl.jocl..")
            .should().dependOnClassesThat().resideInAPackage("org.jocl..");

    private static final ArchRule LINKER_IN_TWO_PLACES = noClasses()
            .that().doNotHaveFullyQualifiedName(ROOT + ".space.SystemCalls")
            .and().doNotHaveFullyQualifiedName(ROOT + ".space.NativeCode")
            .should().dependOnClassesThat().haveNameMatching("java\\.lang\\.foreign\\.Linker(\\$.*)?");

    /// The classes of this module; those of opencl-kernels share the root of the name, and lie below every layer.
    private static final JavaClasses RUNTIME = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .withImportOption(location -> !location.contains("/io/github/hmm4j/kernels/"))
            .importPackages(ROOT);

    @Test
    void importsGoDown() {
        IMPORTS_GO_DOWN.allowEmptyShould(true).check(RUNTIME);
    }

    @Test
    void onlyItsBindingKnowsLwjgl() {
        LWJGL_IN_ONE_PLACE.allowEmptyShould(true).check(RUNTIME);
    }

    @Test
    void onlyItsBindingKnowsJocl() {
        JOCL_IN_ONE_PLACE.allowEmptyShould(true).check(RUNTIME);
    }

    @Test
    void onlySystemCallsAndNativeCodeCallOutOfJava() {
        LINKER_IN_TWO_PLACES.allowEmptyShould(true).check(RUNTIME);
    }

    @Test
    void theRulesSeeTheRuntime() {
        assertThat(RUNTIME).isNotEmpty();
        assertThat(RUNTIME).noneMatch(type -> type.getPackageName().startsWith(ROOT + ".kernels"));
    }

    @Test
    void theRulesRefuseWhatTheyMust() {
        JavaClasses offender = new ClassFileImporter().importClasses(Offender.class);
        assertThat(LWJGL_IN_ONE_PLACE.evaluate(offender).hasViolation()).isTrue();
        assertThat(JOCL_IN_ONE_PLACE.evaluate(offender).hasViolation()).isTrue();
        assertThat(LINKER_IN_TWO_PLACES.evaluate(offender).hasViolation()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "'', pager", "'', device.opencl.jocl", "pager, migrate", "pager, account", "migrate, mirror", "mirror, device",
        "device, page", "page, space", "space, error", "page, page", "policy, kernels", "page, kernels",
        "device.opencl, device", "device.opencl.lwjgl, device.opencl",
        "device.opencl.jocl, device", "device.opencl, page",
    })
    void allows(String from, String to) {
        assertThat(objection(packageName(from), packageName(to))).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "pager, ''", "page, migrate", "error, account", "account, error", "migrate, policy", "policy, migrate",
        "device, device.opencl", "device.opencl, device.opencl.lwjgl", "device.opencl.lwjgl, device.opencl.jocl",
        "device.opencl.jocl, device.opencl.lwjgl",
        "device.opencl, mirror", "page, device.opencl", "unheard, page", "pager, unheard", "devices, page",
    })
    void refuses(String from, String to) {
        assertThat(objection(packageName(from), packageName(to))).isPresent();
    }

    private static ArchCondition<JavaClass> onlyImportDownwards() {
        return new ArchCondition<>("only import packages of a smaller number") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
                    // An array type has the package of its elements.
                    String target = dependency.getTargetClass().getBaseComponentType().getPackageName();
                    objection(type.getPackageName(), target)
                            .map(reason -> reason + ": " + dependency.getDescription())
                            .ifPresent(text -> events.add(SimpleConditionEvent.violated(dependency, text)));
                }
            }
        };
    }

    /// Why `from` must not import `to`; empty if it may.
    private static Optional<String> objection(String from, String to) {
        boolean ours = to.equals(ROOT) || to.startsWith(ROOT + ".");
        if (!ours || from.equals(to) || to.equals(ROOT + ".kernels")) {
            return Optional.empty();
        }
        Integer fromLayer = LAYER.get(domain(from));
        Integer toLayer = LAYER.get(domain(to));
        if (fromLayer == null || toLayer == null) {
            return Optional.of((fromLayer == null ? from : to) + " has no layer");
        }
        boolean parentInDevice = domain(to).equals("device") && from.startsWith(to + ".");
        return toLayer < fromLayer || parentInDevice
                ? Optional.empty()
                : Optional.of("layer " + fromLayer + " must not import layer " + toLayer);
    }

    /// The first name after the root: `device` for `io.github.hmm4j.device.opencl`, "" for the root.
    private static String domain(String packageName) {
        return packageName.equals(ROOT) ? "" : packageName.substring(ROOT.length() + 1).split("\\.")[0];
    }

    private static String packageName(String belowRoot) {
        return belowRoot.isEmpty() ? ROOT : ROOT + "." + belowRoot;
    }

    /// Breaks every rule about who may know what; never run.
    private static final class Offender {
        void offend() {
            org.jocl.CL.setExceptionsEnabled(true);
            org.lwjgl.opencl.CL10.clFinish(0);
            Linker.nativeLinker();
        }
    }
}
