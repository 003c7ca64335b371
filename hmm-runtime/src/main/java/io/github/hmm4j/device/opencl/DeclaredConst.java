package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.KernelParameter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a source says of its kernels' pointers to `const`, for drivers that do not: compilers that go through SPIR-V lose it. Without it each argument would count as written, and its pages move to and fro.
///
/// The driver is asked first, since only a compiler knows what a macro or a `typedef` stands for; the source counts where the driver says `const` of no parameter of a kernel. It is read as
/// it stands, without a preprocessor: a kernel whose parameters are under a condition, or that is there twice with others, says nothing.
///
/// Threads: one at a time.
final class DeclaredConst {

    /// Of a program that has no source here.
    static final DeclaredConst NOTHING = new DeclaredConst(Map.of());

    private static final Logger LOG = LoggerFactory.getLogger(DeclaredConst.class);
    private static final Pattern COMMENT = Pattern.compile("/\\*.*?\\*/|//[^\\n]*", Pattern.DOTALL);
    private static final Pattern KERNEL = Pattern.compile("\\b(?:__)?kernel\\b");
    private static final Pattern NAME_AND_PARENTHESIS = Pattern.compile("(\\w+)\\s*\\(");
    private static final Pattern CONST = Pattern.compile("\\bconst\\b");
    private static final Pattern GLOBAL = Pattern.compile("\\b(?:__)?global\\b");
    private static final Pattern POINTER = Pattern.compile("[*\\[]");

    private final Map<String, List<Boolean>> kernels; // empty: contradictory
    private boolean warned;

    private DeclaredConst(Map<String, List<Boolean>> kernels) {
        this.kernels = kernels;
    }

    static DeclaredConst of(String source) {
        String text = COMMENT.matcher(source).replaceAll(" ");
        Map<String, List<Boolean>> kernels = new HashMap<>();
        Matcher kernel = KERNEL.matcher(text);
        while (kernel.find()) {
            Matcher name = NAME_AND_PARENTHESIS.matcher(text);
            for (int from = kernel.end(); name.find(from); ) {
                int end = closing(text, name.end());
                if (!name.group(1).startsWith("__")) { // else an attribute
                    kernels.merge(name.group(1), constant(text.substring(name.end(), end)), (one, other) -> one.equals(other) ? one : List.of());
                    break;
                }
                from = end;
            }
        }
        return new DeclaredConst(kernels);
    }

    /// Where the parenthesis closes that was opened before `from`, or the end of the text.
    private static int closing(String text, int from) {
        int depth = 1;
        int at = from;
        for (; at < text.length(); at++) {
            depth += text.charAt(at) == '(' ? 1 : text.charAt(at) == ')' ? -1 : 0;
            if (depth == 0) {
                break;
            }
        }
        return at;
    }

    private static List<Boolean> constant(String parameters) {
        List<Boolean> constant = new ArrayList<>();
        if (parameters.indexOf('#') < 0) {
            for (String parameter : parameters.split(",", -1)) {
                Matcher pointer = POINTER.matcher(parameter);
                String pointee = pointer.find() ? parameter.substring(0, pointer.start()) : "";
                constant.add(GLOBAL.matcher(pointee).find() && CONST.matcher(pointee).find());
            }
        }
        return constant;
    }

    /// The parameters with what the driver has lost of them.
    List<KernelParameter> restored(String kernel, List<KernelParameter> parameters, ClDevice device) {
        List<Boolean> declared = kernels.getOrDefault(kernel, List.of());
        boolean isLost = declared.size() == parameters.size() && declared.contains(true)
                && parameters.stream().noneMatch(parameter -> parameter.space() == KernelParameter.Space.GLOBAL && parameter.isConst());
        if (!isLost) {
            return parameters;
        }
        if (!warned) {
            LOG.warn("the driver says const of no parameter, and the source of kernel={} does: the source is believed, device={}", kernel, device);
            warned = true;
        }
        List<KernelParameter> restored = new ArrayList<>(parameters.size());
        for (KernelParameter one : parameters) {
            boolean isConst = one.isConst() || (declared.get(one.index()) && one.space() == KernelParameter.Space.GLOBAL);
            restored.add(new KernelParameter(one.index(), one.name(), one.typeName(), one.space(), isConst));
        }
        return List.copyOf(restored);
    }
}
