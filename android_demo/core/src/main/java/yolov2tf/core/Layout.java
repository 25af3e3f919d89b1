package yolov2tf.core;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** How a network is to be used: the attached file {@code yolov2.json}. */
public final class Layout {
    static final String FILE = "yolov2.json";
    private static final int LARGEST = 1 << 14;

    /** What the labels index. */
    public final List<String> classNames;
    /** Side of the network's square input in pixels. */
    public final int inputSize;
    public final ResizeMode resize;
    /** Whether the network suppresses doubles itself. */
    public final boolean suppresses;
    /** The suppression inside the file has dropped scores up to this, 0..1. */
    public final float scoreThreshold;
    /** Boxes that overlap more than this are one object, 0..1. */
    public final float iouThreshold;
    public final int maxDetections;
    /** Whether boxes of different classes leave one another alone. */
    public final boolean perClass;
    /** {@code none}, {@code fp16}, {@code dynamic} or {@code int8}. */
    public final String quantization;

    private Layout(JSONObject json) throws JSONException, ModelException {
        classNames = names(json.getJSONArray("class_names"));
        inputSize = json.getInt("input_size");
        resize = ResizeMode.of(json.getString("resize"));
        suppresses = json.getBoolean("nms");
        scoreThreshold = (float) json.getDouble("score_threshold");
        iouThreshold = (float) json.getDouble("iou_threshold");
        maxDetections = json.getInt("max_detections");
        perClass = json.getBoolean("per_class");
        quantization = json.getString("quantization");
        check(!classNames.isEmpty(), "class_names");
        check(inputSize > 0 && inputSize <= LARGEST, "input_size");
        check(maxDetections > 0 && maxDetections <= LARGEST, "max_detections");
    }

    static Layout parse(byte[] json) throws ModelException {
        try {
            return new Layout(new JSONObject(new String(json, StandardCharsets.UTF_8)));
        } catch (JSONException error) {
            throw new ModelException("The model's " + FILE + " cannot be read.", error);
        }
    }

    private static void check(boolean sensible, String field) throws ModelException {
        if (!sensible) {
            throw new ModelException(
                    "\"" + field + "\" in the model's " + FILE + " makes no sense.");
        }
    }

    private static List<String> names(JSONArray array) throws JSONException {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < array.length(); i++) {
            names.add(array.getString(i));
        }
        return Collections.unmodifiableList(names);
    }
}
