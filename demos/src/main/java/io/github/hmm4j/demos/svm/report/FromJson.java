package io.github.hmm4j.demos.svm.report;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Makes records out of what [io.github.hmm4j.demos.report.Json] wrote of them.
///
/// A component that the file lacks is empty, zero or false: kept results stay readable when a record gets another one.
/// Fields without a component are passed over.
final class FromJson {
    private FromJson() {}

    /// @throws IllegalArgumentException if `json` is no such value
    static Object value(Type type, JsonElement json) {
        if (type instanceof ParameterizedType generic) {
            return container(generic, json);
        }
        Class<?> wanted = (Class<?>) type;
        if (wanted.isRecord()) {
            return record(wanted, json.isJsonNull() ? new JsonObject() : json.getAsJsonObject());
        }
        if (wanted.isEnum()) {
            return constant(wanted, json.isJsonNull() ? "" : json.getAsString());
        }
        boolean none = json.isJsonNull();
        if (wanted == String.class) {
            return none ? "" : json.getAsString();
        } else if (wanted == int.class || wanted == Integer.class) {
            return none ? 0 : json.getAsInt();
        } else if (wanted == long.class || wanted == Long.class) {
            return none ? 0L : json.getAsLong();
        } else if (wanted == double.class || wanted == Double.class) {
            return none ? Double.NaN : json.getAsDouble();
        } else if (wanted == boolean.class || wanted == Boolean.class) {
            return !none && json.getAsBoolean();
        }
        throw new IllegalArgumentException("cannot be read from JSON: type=" + type);
    }

    private static Object container(ParameterizedType type, JsonElement json) {
        Type element = type.getActualTypeArguments()[type.getActualTypeArguments().length - 1];
        Type raw = type.getRawType();
        if (raw == Optional.class) {
            return json.isJsonNull() ? Optional.empty() : Optional.of(value(element, json));
        } else if (raw == List.class) {
            List<Object> list = new ArrayList<>();
            if (!json.isJsonNull()) {
                json.getAsJsonArray().forEach(each -> list.add(value(element, each)));
            }
            return list;
        } else if (raw == Map.class && type.getActualTypeArguments()[0] == String.class) {
            Map<String, Object> map = new LinkedHashMap<>();
            if (!json.isJsonNull()) {
                json.getAsJsonObject().entrySet().forEach(each -> map.put(each.getKey(), value(element, each.getValue())));
            }
            return map;
        }
        throw new IllegalArgumentException("cannot be read from JSON: type=" + type);
    }

    private static Object record(Class<?> type, JsonObject json) {
        RecordComponent[] components = type.getRecordComponents();
        Class<?>[] types = new Class<?>[components.length];
        Object[] values = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            types[i] = components[i].getType();
            JsonElement given = json.get(components[i].getName());
            try {
                values[i] = value(components[i].getGenericType(), given == null ? JsonNull.INSTANCE : given);
            } catch (IllegalArgumentException | IllegalStateException | UnsupportedOperationException | ClassCastException e) {
                throw new IllegalArgumentException(components[i].getName() + ": " + e.getMessage(), e);
            }
        }
        try {
            Constructor<?> constructor = type.getDeclaredConstructor(types);
            return constructor.newInstance(values);
        } catch (InvocationTargetException e) {
            throw new IllegalArgumentException("record=" + type.getName() + ": " + e.getCause(), e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("record=" + type.getName(), e);
        }
    }

    private static Object constant(Class<?> type, String name) {
        for (Object constant : type.getEnumConstants()) {
            if (constant.toString().equals(name)) {
                return constant;
            }
        }
        throw new IllegalArgumentException("no such constant of " + type.getSimpleName() + ": " + name);
    }
}
