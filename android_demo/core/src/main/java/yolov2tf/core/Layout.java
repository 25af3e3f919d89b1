package yolov2tf.core;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * How a network is to be used: the attached file {@code yolov2.json}.
 *
 * <p>{@code export/layout.py} writes it; {@code tests/golden} holds all readers of it together.
 */
public final class Layout {
    static final String FILE = "yolov2.json";
    private static final int VERSION = 2; // that of version 1 had neither version nor outputs
    private static final int LARGEST = 1 << 14;
    private static final List<String> HEAD = Collections.singletonList("head");

    /** What the labels index. */
    public final List<String> classNames;
    /** Width and height of each anchor in cells, in turn. */
    final float[] anchors;
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
    /** Whether the classes are the nodes of a tree; then each box has one label. */
    public final boolean tree;
    /** Whether the network ends in its raw head, and decoding is left to the reader, too. */
    final boolean rawHead;
    /** {@code none}, {@code fp16}, {@code dynamic} or {@code int8}. */
    public final String quantization;

    private Layout(JsonEntries json) throws ModelException {
        checkVersion(json);
        classNames = json.texts("class_names");
        anchors = json.pairs("anchors");
        inputSize = json.count("input_size", LARGEST);
        resize = ResizeMode.of(json.text("resize", ResizeMode.names()));
        suppresses = json.flag("nms");
        scoreThreshold = json.share("score_threshold");
        iouThreshold = json.share("iou_threshold");
        maxDetections = json.count("max_detections", LARGEST);
        perClass = !json.has("per_class") || json.flag("per_class");
        quantization = json.has("quantization")
                ? json.text("quantization", "none", "fp16", "dynamic", "int8") : "none";
        tree = !json.isNull("tree");
        if (classNames.isEmpty()) {
            throw new ModelException("The model's " + FILE + " has no names in \"class_names\".");
        }
        if (tree) {
            json.requireTree("tree", classNames.size());
        }
        rawHead = json.has("outputs") && json.texts("outputs").equals(HEAD);
        if (rawHead && tree) {
            throw new ModelException("The model ends in the raw head of a label tree, which this"
                    + " app does not decode. Export it without --head raw.");
        }
        checkOutputs(json);
    }

    /**
     * Reads the file.
     *
     * @throws ModelException if it is damaged, or of a version that is not known yet
     */
    static Layout parse(byte[] json) throws ModelException {
        return new Layout(new JsonEntries(json, FILE));
    }

    /** The network's outputs: MediaPipe's four, its head, or all boxes, labelled with a tree. */
    List<String> outputNames() {
        if (suppresses) {
            return Arrays.asList("location", "category", "score", "number of detections");
        }
        if (rawHead) {
            return HEAD;
        }
        return tree ? Arrays.asList("boxes", "scores", "labels") : Arrays.asList("boxes", "scores");
    }

    /** What the outputs depend on, for messages. */
    String outputSettings() {
        return FILE + " says: nms " + suppresses + ", tree " + tree + ", max_detections "
                + maxDetections + ", " + classNames.size() + " class_names";
    }

    private static void checkVersion(JsonEntries json) throws ModelException {
        int version = json.has("version") ? json.count("version", Integer.MAX_VALUE) : 1;
        if (version > VERSION) {
            throw new ModelException("The model's file is of version " + version + "; this app"
                    + " reads versions up to " + VERSION + ". A newer app is needed, or a model"
                    + " that was exported by an older yolov2.");
        }
    }

    private void checkOutputs(JsonEntries json) throws ModelException {
        List<String> given = json.has("outputs") ? json.texts("outputs") : outputNames();
        if (!given.isEmpty() && !given.equals(outputNames())) {
            throw new ModelException("The model's " + FILE + " names the outputs " + given
                    + "; expected " + outputNames() + ".");
        }
    }
}
