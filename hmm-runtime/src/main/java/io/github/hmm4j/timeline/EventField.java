package io.github.hmm4j.timeline;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import jdk.jfr.Label;

/// A field of a kind of event, found by its label.
record EventField(Field field) {

    private static final ClassValue<List<EventField>> FIELDS = new ClassValue<>() {
        @Override
        protected List<EventField> computeValue(Class<?> type) {
            List<EventField> fields = new ArrayList<>();
            for (Class<?> at = type; at != null && TimelineEvent.class.isAssignableFrom(at); at = at.getSuperclass()) {
                for (Field field : at.getDeclaredFields()) {
                    if (field.isAnnotationPresent(Label.class)) {
                        fields.add(new EventField(field));
                    }
                }
            }
            return List.copyOf(fields);
        }
    };

    /// Those of the class itself first, then those it inherits.
    static List<EventField> of(Class<? extends TimelineEvent> type) {
        return FIELDS.get(type);
    }

    String name() {
        return field.getName();
    }

    Object valueOf(TimelineEvent event) {
        try {
            return field.get(event);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException("event field " + field + " must be visible here", e);
        }
    }
}
