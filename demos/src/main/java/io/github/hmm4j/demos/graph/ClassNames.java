package io.github.hmm4j.demos.graph;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;

/// Vertices called by class names; their plain number is understood too.
final class ClassNames implements VertexNames {
    private final List<String> names;
    private final Map<String, Integer> vertices;

    ClassNames(List<String> names, Map<String, Integer> vertices) {
        this.names = List.copyOf(names);
        this.vertices = Map.copyOf(vertices);
    }

    @Override
    public String name(int vertex) {
        return names.get(vertex);
    }

    @Override
    public OptionalInt vertex(String name) {
        Integer byName = vertices.get(name);
        if (byName != null) {
            return OptionalInt.of(byName);
        }
        try {
            int number = Integer.parseInt(name);
            return number >= 0 && number < names.size() ? OptionalInt.of(number) : OptionalInt.empty();
        } catch (NumberFormatException _) {
            return OptionalInt.empty();
        }
    }

    @Override
    public String describe() {
        return String.format(Locale.ROOT, "a class name such as %s, or a number from 0 to %d",
            names.getFirst(), names.size() - 1);
    }
}
