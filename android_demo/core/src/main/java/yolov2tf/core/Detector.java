package yolov2tf.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * Picture in, detections out.
 *
 * <p>All buffers are made once; detecting allocates nothing. For one thread.
 */
public final class Detector implements AutoCloseable {
    private static final TensorInfo.Type FLOAT = TensorInfo.Type.FLOAT32;

    private final ModelFile model;
    private final ModelRunner runner;
    private final Resizer resizer;
    private final ByteBuffer input;
    private final FloatBuffer floatInput;
    private final byte[] octets; // rounded pixels, for files that take uint8 or int8
    private final ByteBuffer[] outputs;
    private final Reader reader;
    private float threshold;
    private long prepareNanos;
    private long runNanos;

    /**
     * @param model what the file says about itself
     * @param runner runs that file; closed with the detector
     * @throws ModelException if the outputs are not those of a detector
     */
    public Detector(ModelFile model, ModelRunner runner) throws ModelException {
        this.model = model;
        this.runner = runner;
        resizer = new Resizer(model.layout.inputSize, model.layout.resize);
        input = buffer(model.input);
        floatInput = input.asFloatBuffer();
        octets = model.input.type == FLOAT ? null : new byte[model.input.size()];
        outputs = new ByteBuffer[model.outputs.size()];
        for (int i = 0; i < outputs.length; i++) {
            outputs[i] = buffer(model.outputs.get(i));
        }
        reader = reader();
        setThreshold(0.25f);
    }

    public ModelFile model() {
        return model;
    }

    /** What it runs on, for people. */
    public String description() {
        return runner.description();
    }

    /**
     * Sets what counts as a detection.
     *
     * @param score detections score above this, 0..1; never below what the file has dropped already
     */
    public void setThreshold(float score) {
        threshold = model.layout.suppresses ? Math.max(score, model.layout.scoreThreshold) : score;
    }

    /**
     * Finds the objects in a picture.
     *
     * @param found takes them, as many as it holds
     * @throws RuntimeException if the runtime fails, or the network gives a label without a name
     */
    public void detect(Picture picture, Detections found) {
        long start = System.nanoTime();
        fill(resizer.resize(picture));
        long prepared = System.nanoTime();
        for (ByteBuffer output : outputs) {
            output.clear();
        }
        runner.run(input, outputs);
        reader.read(found);
        checkLabels(found);
        found.place(resizer.placement(), picture.width(), picture.height());
        prepareNanos = prepared - start;
        runNanos = System.nanoTime() - prepared;
    }

    /** Time that colour conversion and resizing took the last time, in milliseconds. */
    public float prepareMillis() {
        return prepareNanos / 1e6f;
    }

    /** Time that the network took the last time, in milliseconds. */
    public float runMillis() {
        return runNanos / 1e6f;
    }

    /** What the network got the last time. */
    public ByteBuffer input() {
        return input.duplicate().order(ByteOrder.nativeOrder());
    }

    /** What the network gave the last time, in the order of {@link ModelFile#outputs}. */
    public ByteBuffer output(int index) {
        return outputs[index].duplicate().order(ByteOrder.nativeOrder());
    }

    @Override
    public void close() {
        runner.close();
    }

    private void fill(float[] pixels) {
        input.clear();
        if (octets == null) {
            floatInput.clear();
            floatInput.put(pixels);
        } else {
            for (int i = 0; i < pixels.length; i++) {
                octets[i] = (byte) (Math.rint(pixels[i]) + model.input.zeroPoint);
            }
            input.put(octets);
            input.rewind();
        }
    }

    private void checkLabels(Detections found) {
        int names = model.layout.classNames.size();
        for (int i = 0; i < found.count(); i++) {
            if (found.label(i) < 0 || found.label(i) >= names) {
                throw new IllegalStateException("The network gave the label " + found.label(i)
                        + ", but its " + Layout.FILE + " has " + names + " class_names.");
            }
        }
    }

    private static ByteBuffer buffer(TensorInfo tensor) {
        return ByteBuffer.allocateDirect(tensor.bytes()).order(ByteOrder.nativeOrder());
    }

    private Reader reader() throws ModelException {
        if (model.layout.suppresses) {
            return new DetectionReader();
        }
        return model.layout.rawHead ? new HeadReader() : new PredictionReader();
    }

    private FloatBuffer floats(String name, int... shape) throws ModelException {
        return outputs[model.outputIndex(name, FLOAT, shape)].asFloatBuffer();
    }

    /** Reads the outputs of one kind of file. */
    private interface Reader {
        void read(Detections found);
    }

    /** Of files that suppress doubles themselves. */
    private final class DetectionReader implements Reader {
        private final FloatBuffer boxes;
        private final FloatBuffer labels;
        private final FloatBuffer scores;
        private final FloatBuffer count;

        DetectionReader() throws ModelException {
            int most = model.layout.maxDetections;
            boxes = floats("location", 1, most, 4);
            labels = floats("category", 1, most);
            scores = floats("score", 1, most);
            count = floats("number of detections", 1);
        }

        @Override
        public void read(Detections found) {
            found.clear();
            int used = Math.min((int) count.get(0), Math.min(scores.capacity(), found.capacity()));
            for (int i = 0; i < used; i++) {
                if (scores.get(i) > threshold) {
                    found.add(boxes.get(4 * i), boxes.get(4 * i + 1), boxes.get(4 * i + 2),
                            boxes.get(4 * i + 3), (int) labels.get(i), scores.get(i));
                }
            }
        }
    }

    /** Of files that give all boxes: with a score for each class, or with one label each. */
    private final class PredictionReader implements Reader {
        private final FloatBuffer boxes;
        private final FloatBuffer scores;
        private final int columns;
        private final Suppression.Labels labels;
        private final Suppression suppression = new Suppression(model.layout);

        PredictionReader() throws ModelException {
            TensorInfo all = model.output("boxes");
            int count = all.dimensions() > 1 ? all.side(1) : 0;
            boxes = floats("boxes", 1, count, 4);
            if (model.layout.tree) {
                int index = model.outputIndex("labels", TensorInfo.Type.INT32, 1, count);
                IntBuffer given = outputs[index].asIntBuffer();
                columns = 1;
                scores = floats("scores", 1, count);
                labels = given::get;
            } else {
                columns = model.layout.classNames.size();
                scores = floats("scores", 1, count, columns);
                labels = place -> place % columns;
            }
        }

        @Override
        public void read(Detections found) {
            suppression.run(boxes, scores, columns, labels, threshold, found);
        }
    }

    /** Of files that end in the raw head: decoded here. */
    private final class HeadReader implements Reader {
        private final HeadDecoder decoder;
        private final Suppression suppression = new Suppression(model.layout);
        private final int classes = model.layout.classNames.size();
        private final Suppression.Labels labels = place -> place % classes;

        HeadReader() throws ModelException {
            TensorInfo head = model.output("head");
            decoder = new HeadDecoder(model.layout, head, outputs[model.outputs.indexOf(head)]);
        }

        @Override
        public void read(Detections found) {
            decoder.decode(threshold);
            suppression.run(
                    decoder.boxes, decoder.scores, classes, labels, threshold, found);
        }
    }
}
