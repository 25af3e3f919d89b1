package yolov2tf.core;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * The entries of a JSON object, each asked for as what it has to be.
 *
 * <p>{@link JSONObject} itself turns texts into numbers and numbers into truth values.
 */
final class JsonEntries {
    private final JSONObject json;
    private final String file;

    /**
     * @param file its name, for messages
     * @throws ModelException if this is no JSON object
     */
    JsonEntries(byte[] content, String file) throws ModelException {
        this.file = file;
        try {
            json = new JSONObject(new String(content, StandardCharsets.UTF_8));
        } catch (JSONException error) {
            throw new ModelException("The model's " + file + " cannot be read.", error);
        }
    }

    boolean has(String key) {
        return json.has(key);
    }

    boolean isNull(String key) {
        return json.isNull(key);
    }

    boolean flag(String key) throws ModelException {
        Object value = value(key);
        require(value instanceof Boolean, key, "true or false");
        return (Boolean) value;
    }

    /** A number from 0 to 1. */
    float share(String key) throws ModelException {
        Object value = value(key);
        require(isNumber(value, 0) && ((Number) value).doubleValue() <= 1, key, "0 to 1");
        return ((Number) value).floatValue();
    }

    /** A whole number above 0. */
    int count(String key, int most) throws ModelException {
        Object value = value(key);
        require(value instanceof Integer && (Integer) value > 0 && (Integer) value <= most, key,
                "a whole number from 1 to " + most);
        return (Integer) value;
    }

    String text(String key, String... known) throws ModelException {
        Object value = value(key);
        require(value instanceof String && Arrays.asList(known).contains(value), key,
                "one of " + Arrays.toString(known));
        return (String) value;
    }

    /** A list of texts. */
    List<String> texts(String key) throws ModelException {
        return texts(value(key), key);
    }

    /** A list of pairs of numbers above 0, at least one of them: their numbers in turn. */
    float[] pairs(String key) throws ModelException {
        Object value = value(key);
        boolean fits = value instanceof JSONArray && ((JSONArray) value).length() > 0;
        for (int i = 0; fits && i < ((JSONArray) value).length(); i++) {
            JSONArray pair = ((JSONArray) value).optJSONArray(i);
            fits = pair != null && pair.length() == 2
                    && isNumber(pair.opt(0), Float.MIN_VALUE)
                    && isNumber(pair.opt(1), Float.MIN_VALUE);
        }
        require(fits, key, "a list of [width, height] in cells");
        float[] numbers = new float[2 * ((JSONArray) value).length()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) ((JSONArray) value).optJSONArray(i / 2).optDouble(i % 2);
        }
        return numbers;
    }

    /** A label tree: parents, or -1, stand before their children, and siblings together. */
    void requireTree(String key, int nodes) throws ModelException {
        JSONObject tree = json.optJSONObject(key);
        require(tree != null, key, "null or a tree");
        List<String> names = texts(tree.opt("names"), key);
        JSONArray parent = tree.optJSONArray("parent");
        boolean fits = parent != null && parent.length() == nodes && names.size() == nodes;
        Set<String> seen = new HashSet<>();
        Set<Object> parents = new HashSet<>();
        for (int i = 0; fits && i < nodes; i++) {
            Object up = parent.opt(i);
            boolean first = parents.add(up);
            fits = up instanceof Integer && (Integer) up >= -1 && (Integer) up < i
                    && (first || up.equals(parent.opt(i - 1)))
                    && names.get(i).matches("\\S+") && seen.add(names.get(i));
        }
        require(fits, key, "a tree with a node for each of class_names");
    }

    private List<String> texts(Object value, String key) throws ModelException {
        List<String> texts = new ArrayList<>();
        boolean fits = value instanceof JSONArray;
        for (int i = 0; fits && i < ((JSONArray) value).length(); i++) {
            Object text = ((JSONArray) value).opt(i);
            fits = text instanceof String;
            texts.add(String.valueOf(text));
        }
        require(fits, key, "a list of names");
        return Collections.unmodifiableList(texts);
    }

    private Object value(String key) throws ModelException {
        Object value = json.opt(key);
        if (value == null) {
            throw new ModelException("The model's " + file + " has no \"" + key + "\".");
        }
        return value;
    }

    private static boolean isNumber(Object value, double least) {
        return value instanceof Number && ((Number) value).doubleValue() >= least;
    }

    private void require(boolean fits, String key, String expected) throws ModelException {
        if (!fits) {
            String value = String.valueOf(json.opt(key));
            throw new ModelException("In the model's " + file + " \"" + key + "\" is "
                    + value.substring(0, Math.min(60, value.length())) + "; expected: " + expected
                    + ".");
        }
    }
}
