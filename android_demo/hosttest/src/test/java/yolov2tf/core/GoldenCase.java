package yolov2tf.core;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.json.JSONArray;
import org.json.JSONObject;

/** A case of {@code tests/golden}: what a reader gets, and what it must answer. */
final class GoldenCase {
    private static final Path FOLDER = Paths.get(System.getProperty("golden"));

    final String name;
    /** The text of {@code yolov2.json}. */
    final String description;
    final Picture picture;
    final float threshold;
    /** Type and shape of the network's input, and some of its pixels. */
    final JSONObject input;
    /** The network's outputs by name. */
    final JSONObject outputs;
    /** What has to be found; null where the file has to be refused. */
    final JSONArray detections;
    /** A word of the refusal, or null. */
    final String refused;

    private GoldenCase(JSONObject json, JSONObject change, Map<String, Picture> pictures) {
        JSONObject told = json.getJSONObject("description");
        outputs = json.getJSONObject("outputs");
        input = json.getJSONObject("input");
        apply(change, told, outputs);
        name = change.optString("name", json.getString("name"));
        description = change.optString("text", told.toString());
        picture = pictures.get(json.getString("picture"));
        threshold = json.getFloat("threshold");
        refused = change.has("refused") ? change.getString("refused") : null;
        JSONObject answer = change.has("detections") ? change : json;
        detections = refused == null ? answer.getJSONArray("detections") : null;
        if (change.length() > 0) {
            input.put("pixels", new JSONArray()); // where to look is another matter now
        }
    }

    /** All good cases and all changed ones. */
    static List<GoldenCase> all() {
        Map<String, Picture> pictures = new HashMap<>();
        for (Object picture : read("pictures.json")) {
            pictures.put(((JSONObject) picture).getString("name"), packed((JSONObject) picture));
        }
        List<GoldenCase> cases = new ArrayList<>();
        Map<String, String> texts = new HashMap<>();
        for (Object json : read("cases.json")) {
            texts.put(((JSONObject) json).getString("name"), json.toString());
            cases.add(new GoldenCase((JSONObject) json, new JSONObject(), pictures));
        }
        for (Object change : read("changes.json")) {
            JSONObject json = new JSONObject(texts.get(((JSONObject) change).getString("case")));
            cases.add(new GoldenCase(json, (JSONObject) change, pictures));
        }
        return cases;
    }

    private static void apply(JSONObject change, JSONObject described, JSONObject outputs) {
        JSONObject set = change.optJSONObject("set", new JSONObject());
        set.keySet().forEach(key -> described.put(key, set.get(key)));
        change.optJSONArray("remove", new JSONArray()).forEach(key ->
                described.remove((String) key));
        outputs.remove(change.optString("remove_output"));
        JSONObject first = change.optJSONObject("first_value", new JSONObject());
        first.keySet().forEach(key ->
                outputs.getJSONObject(key).getJSONArray("values").put(0, first.get(key)));
    }

    private static JSONArray read(String file) {
        return new JSONArray(
                new String(Golden.bytes(FOLDER.resolve(file)), StandardCharsets.UTF_8));
    }

    private static Picture packed(JSONObject picture) {
        JSONArray values = picture.getJSONArray("pixels");
        int[] pixels = new int[values.length() / 3];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = values.getInt(3 * i) << 16 | values.getInt(3 * i + 1) << 8
                    | values.getInt(3 * i + 2);
        }
        return new PackedPicture(pixels, picture.getInt("width"), picture.getInt("height"));
    }

    @Override
    public String toString() {
        return name;
    }
}
