package io.github.hmm4j.space;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NativeCodeTest {

    private static final Path HEADER = Path.of("src/main/c/hmm_pager.h");

    /// A library that is not ours, and where its file says for which machine it is.
    private static final Path JDK_LIBRARY = Path.of(System.getProperty("java.home"), "lib", "libjimage.so");
    private static final int ELF_MACHINE = 18;
    private static final byte X86_64 = 62;
    private static final byte AARCH64 = (byte) 183;

    @TempDir
    private Path folder;

    @Test
    void hasEveryFunctionOfTheHeader() throws IOException {
        NativeCode code = loaded();
        Set<String> functions = functionsOfTheHeader();
        assertThat(functions).contains("hmm_abi", "hmm_open", "hmm_fetch", "hmm_launch_enter");
        assertThat(functions).allSatisfy(name -> assertThat(code.address(name)).isNotZero());
    }

    @Test
    void exportsNothingElse() throws Exception {
        loaded();
        assumeTrue(Tool.isThere("nm"), "there is no nm");
        Path library = folder.resolve("libhmm.so");
        try (InputStream resource = NativeCode.class.getResourceAsStream(resource())) {
            Files.copy(resource, library);
        }
        Tool.Result symbols = Tool.run("nm", "-D", "--defined-only", library.toString());
        assertThat(symbols.status()).as(symbols.text()).isZero();
        // 0000000000006e80 T hmm_abi
        Set<String> names = symbols.text().lines().map(line -> line.replaceFirst(".* ", "")).collect(Collectors.toCollection(TreeSet::new));
        assertThat(names).isEqualTo(functionsOfTheHeader());
    }

    @Test
    void loadsWhereTheCLibraryIsOld() throws IOException {
        loaded();
        assumeTrue(NativeCode.platform().equals("linux-x86_64"), "old_glibc.h is for x86-64 alone");
        try (InputStream resource = NativeCode.class.getResourceAsStream(resource())) {
            // the versions that it needs are named in its dynamic strings: GLIBC_2.17
            String text = new String(resource.readAllBytes(), StandardCharsets.ISO_8859_1);
            assertThat(Pattern.compile("GLIBC_2\\.(\\d+)").matcher(text).results().map(version -> Integer.parseInt(version.group(1))))
                    .isNotEmpty().allMatch(version -> version <= 17);
        }
    }

    @Test
    void callsAFunction() throws Throwable {
        var abi = loaded().downcall("hmm_abi", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
        assertThat((int) abi.invokeExact(MemorySegment.NULL, 0)).isPositive();
    }

    @Test
    void isLoadedOnce() {
        assertThat(NativeCode.load()).isSameAs(NativeCode.load());
    }

    @Test
    void leavesNoFileBehind() throws IOException {
        loaded();
        NativeCode again = load(null, NativeCode.platform(), folder);
        assertThat(again.whyNot()).isEmpty();
        assertThat(again.symbols()).isPresent();
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void takesTheFileOfTheSetting() throws IOException {
        loaded();
        Path file = folder.resolve("libhmm of mine.so");
        try (InputStream resource = NativeCode.class.getResourceAsStream(resource())) {
            Files.copy(resource, file);
        }
        NativeCode code = load(file.toString(), "no-platform", folder);
        assertThat(code.whyNot()).isEmpty();
        assertThat(code.address("hmm_abi")).isNotZero().isNotEqualTo(loaded().address("hmm_abi"));
        assertThat(file).exists();
    }

    @Test
    void saysThatItIsSwitchedOff() {
        NativeCode code = load("none", NativeCode.platform(), folder);
        assertThat(code.symbols()).isEmpty();
        assertThat(code.whyNot()).isEqualTo("The native part is not there: it is switched off by -Dhmm.native=none.");
        assertThatThrownBy(() -> code.address("hmm_abi")).isInstanceOf(IllegalStateException.class)
                .hasMessage("The native part is not there: it is switched off by -Dhmm.native=none. function=hmm_abi");
    }

    @Test
    void saysThatItWasNotBuilt() {
        assertThat(absent(null, "linux-riscv64", folder)).isEqualTo("it was not built for this platform: linux-riscv64");
    }

    @Test
    void saysThatTheFileIsMissing() {
        assertThat(absent("/nowhere/libhmm.so", "no-platform", folder)).isEqualTo("there is no such file: -Dhmm.native=/nowhere/libhmm.so");
    }

    @Test
    void saysThatThereIsNowhereToCopyTo() {
        loaded();
        Path nowhere = folder.resolve("nowhere");
        assertThat(absent(null, NativeCode.platform(), nowhere)).startsWith("libhmm.so of this jar cannot be copied to " + nowhere + ": java.nio.file.NoSuchFile")
                .endsWith(". The native part is not there: memory is not to be had");
    }

    /// Each is a library of its own.
    @ParameterizedTest
    @ValueSource(strings = {"/nowhere at all", "/proc", "a\0b"})
    void whereNothingCanBeCopiedItIsLoadedFromMemory(String temporary) {
        loaded();
        NativeCode first = NativeCode.load(null, NativeCode.platform(), temporary, NativeCode::openInMemory);
        NativeCode second = NativeCode.load(null, NativeCode.platform(), temporary, NativeCode::openInMemory);
        assertThat(first.whyNot()).isEmpty();
        assertThat(second.address("hmm_abi")).isNotZero().isNotEqualTo(first.address("hmm_abi")).isNotEqualTo(loaded().address("hmm_abi"));
    }

    @Test
    void whatIsInMemoryMustBeALibrary() {
        assertThat(NativeCode.openInMemory("no library".getBytes(StandardCharsets.UTF_8)).whyNot()).startsWith("The native part is not there: it cannot be loaded: ").contains("in memory");
    }

    @Test
    void saysWhyItCannotBeLoaded() throws IOException {
        byte[] library = Files.readAllBytes(JDK_LIBRARY);
        library[ELF_MACHINE] = library[ELF_MACHINE] == X86_64 ? AARCH64 : X86_64;
        Path foreign = Files.write(folder.resolve("foreign.so"), library);
        assertThat(absent(foreign.toString(), "no-platform", folder)).startsWith("it cannot be loaded: ").contains("platform").endsWith(" (-Dhmm.native=" + foreign + ")");
    }

    @Test
    void refusesTheLibraryOfSomebodyElse() {
        assertThat(absent(JDK_LIBRARY.toString(), "no-platform", folder)).isEqualTo("this is not the library of hmm4j: -Dhmm.native=" + JDK_LIBRARY);
    }

    @Test
    void namesTheFunctionThatIsMissing() {
        NativeCode code = loaded();
        assertThatThrownBy(() -> code.address("hmm_nothing")).isInstanceOf(IllegalStateException.class).hasMessageContaining("function=hmm_nothing");
    }

    @Test
    void findsFunctionsOfOtherLibraries() {
        long getpid = Linker.nativeLinker().defaultLookup().findOrThrow("getpid").address();
        assertThat(NativeCode.libraryFunction("libc.so.6", "getpid")).hasValue(getpid);
        assertThat(NativeCode.libraryFunction("libc.so.6", "hmm_nothing")).isEmpty();
        assertThat(NativeCode.libraryFunction("libhmm-nothing.so.1", "getpid")).isEmpty();
        assertThat(NativeCode.libraryFunction(JDK_LIBRARY.toString(), "JIMAGE_Open")).isPresent();
    }

    private static NativeCode loaded() {
        NativeCode code = NativeCode.load();
        assumeTrue(code.symbols().isPresent(), code.whyNot()); // whether it must be there is for NativeBuildTest to say
        return code;
    }

    private static NativeCode load(@Nullable String setting, String platform, Path temporary) {
        return NativeCode.load(setting, platform, temporary.toString(), _ -> NativeCode.absent("memory is not to be had"));
    }

    private static String absent(@Nullable String setting, String platform, Path temporary) {
        NativeCode code = load(setting, platform, temporary);
        assertThat(code.symbols()).isEmpty();
        assertThat(code.whyNot()).startsWith("The native part is not there: ").endsWith(".");
        return code.whyNot().replaceFirst("^The native part is not there: ", "").replaceFirst("\\.$", "");
    }

    private static String resource() {
        return "/io/github/hmm4j/native/" + NativeCode.platform() + "/libhmm.so";
    }

    private static Set<String> functionsOfTheHeader() throws IOException {
        return Pattern.compile("^HMM_API \\w+ (\\w+)\\(", Pattern.MULTILINE).matcher(Files.readString(HEADER)).results()
                .map(declaration -> declaration.group(1)).collect(Collectors.toCollection(TreeSet::new));
    }
}
