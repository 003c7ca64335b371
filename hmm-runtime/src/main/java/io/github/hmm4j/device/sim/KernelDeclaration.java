package io.github.hmm4j.device.sim;

import io.github.hmm4j.device.KernelParameter;
import io.github.hmm4j.device.KernelParameter.Space;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What an OpenCL C kernel declaration says, read without a compiler: enough for scalars, vectors and pointers, which
/// is all that can be passed, and to know what cannot be (images and their like).
///
/// @param requiredGroup as `reqd_work_group_size` has it, or empty
record KernelDeclaration(String name, List<KernelParameter> parameters, List<Long> requiredGroup) {

    private static final Pattern ATTRIBUTE = Pattern.compile("__attribute__\\s*\\(\\(.*?\\)\\)(?=\\s)");
    private static final Pattern REQUIRED =
            Pattern.compile("reqd_work_group_size\\s*\\(\\s*(\\d+)\\s*,\\s*(\\d+)\\s*,\\s*(\\d+)\\s*\\)");
    private static final Pattern KERNEL =
            Pattern.compile("\\b(?:__)?kernel\\s+void\\s+([A-Za-z_]\\w*)\\s*\\(([^)]*)\\)");
    private static final Pattern COMMENT = Pattern.compile("//[^\\n]*|/\\*.*?\\*/", Pattern.DOTALL);
    private static final Pattern TOKEN = Pattern.compile("[A-Za-z_]\\w*|\\*");
    private static final Set<String> IGNORED = Set.of("restrict", "__restrict", "volatile", "private", "__private",
            "read_only", "__read_only", "write_only", "__write_only", "read_write", "__read_write");

    /// Reads one declaration, with or without a semicolon.
    static KernelDeclaration parse(String declaration) {
        Matcher matcher = KERNEL.matcher(withoutNoise(declaration));
        if (!matcher.find()) {
            throw new IllegalArgumentException("declaration=" + declaration
                    + ", expected: kernel void name(parameters)");
        }
        String list = matcher.group(2).strip();
        List<KernelParameter> parameters = new ArrayList<>();
        if (!list.isEmpty() && !list.equals("void")) {
            for (String text : list.split(",", -1)) {
                parameters.add(parameter(parameters.size(), text));
            }
        }
        Matcher required = REQUIRED.matcher(declaration);
        List<Long> group = required.find()
                ? List.of(Long.valueOf(required.group(1)), Long.valueOf(required.group(2)), Long.valueOf(required.group(3)))
                : List.of();
        return new KernelDeclaration(matcher.group(1), List.copyOf(parameters), group);
    }

    /// Names of the kernels a source defines.
    static Set<String> namesIn(String source) {
        Set<String> names = new HashSet<>();
        Matcher matcher = KERNEL.matcher(withoutNoise(source));
        while (matcher.find()) {
            names.add(matcher.group(1));
        }
        return names;
    }

    private static String withoutNoise(String source) {
        return ATTRIBUTE.matcher(COMMENT.matcher(source).replaceAll(" ")).replaceAll("");
    }

    private static KernelParameter parameter(int index, String text) {
        List<String> words = new ArrayList<>();
        Space space = Space.PRIVATE;
        boolean constant = false;
        boolean pointer = false;
        boolean pipe = false;
        Matcher matcher = TOKEN.matcher(text);
        while (matcher.find()) {
            String word = matcher.group();
            switch (word) {
                case "global", "__global" -> space = Space.GLOBAL;
                case "local", "__local" -> space = Space.LOCAL;
                case "constant", "__constant" -> space = Space.CONSTANT;
                case "const" -> constant |= !pointer;    // what stands before the star is what is pointed to
                case "*" -> pointer = true;
                case "pipe" -> pipe = true;
                default -> {
                    if (!IGNORED.contains(word)) {
                        words.add(word);
                    }
                }
            }
        }
        if (words.size() >= 2 && (pipe || KernelParameter.isObject(words.getFirst()))) {
            return new KernelParameter(index, words.getLast(), String.join(" ", words.subList(0, words.size() - 1)), Space.OBJECT, false);
        }
        if (words.size() < 2 || pointer == (space == Space.PRIVATE)) {
            throw new IllegalArgumentException("parameter=" + text.strip() + ", expected: [space] type [*] name");
        }
        String type = String.join(" ", words.subList(0, words.size() - 1)) + (pointer ? "*" : "");
        boolean readOnly = space == Space.CONSTANT || (pointer && constant);
        return new KernelParameter(index, words.getLast(), type, space, readOnly);
    }
}
