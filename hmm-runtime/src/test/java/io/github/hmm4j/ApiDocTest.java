package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// `docs/api.md` names what is API: at least each type that the façade takes or gives, and each package.
class ApiDocTest {

    private static final String ROOT = "io.github.hmm4j";

    private static final List<JavaClass> CLASSES = new ClassFileImporter().withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS).importPackages(ROOT).stream()
            .filter(type -> !type.getPackageName().startsWith(ROOT + ".demos")).toList();

    private final String page = Files.readString(Path.of("docs/api.md"));

    ApiDocTest() throws IOException {}

    @Test
    void namesEachTypeOfTheFacade() {
        Set<String> missing = new TreeSet<>();
        CLASSES.stream().filter(type -> type.getPackageName().equals(ROOT) && isPublic(type))
                .flatMap(type -> type.getMethods().stream()).filter(method -> method.getModifiers().contains(JavaModifier.PUBLIC))
                .flatMap(method -> Stream.concat(method.getRawParameterTypes().stream(), method.getReturnType().getAllInvolvedRawTypes().stream()))
                .map(JavaClass::getBaseComponentType)
                .filter(type -> type.getPackageName().startsWith(ROOT + ".") && !isError(type))
                .map(ApiDocTest::outermost)
                .filter(name -> !Pattern.compile("`" + name + "\\b").matcher(page).find())
                .forEach(missing::add);
        assertThat(missing).isEmpty();
    }

    @Test
    void namesEachPackage() {
        assertThat(CLASSES).map(JavaClass::getPackageName).filteredOn(name -> !name.equals(ROOT))
                .allSatisfy(name -> assertThat(page).containsPattern("`[\\w.]*" + name.substring(name.lastIndexOf('.')).replace(".", "\\.") + "`"));
    }

    @Test
    void namesNoPackageThatIsNotThere() {
        Set<String> packages = CLASSES.stream().map(JavaClass::getPackageName).collect(Collectors.toSet());
        List<String> named = Pattern.compile("^\\| `(\\.[a-z.]+)`", Pattern.MULTILINE).matcher(page).results().map(row -> ROOT + row.group(1)).toList();
        assertThat(named).isNotEmpty().allMatch(name -> packages.contains(name));
    }

    /// With all that it is nested in.
    private static boolean isPublic(JavaClass type) {
        return type.getModifiers().contains(JavaModifier.PUBLIC)
                && type.getEnclosingClass().map(ApiDocTest::isPublic).orElse(true);
    }

    private static boolean isError(JavaClass type) {
        return type.getPackageName().equals(ROOT + ".error");
    }

    private static String outermost(JavaClass type) {
        String name = type.getName().substring(type.getPackageName().length() + 1);
        return name.replaceFirst("\\$.*", "");
    }
}
