package yolov2tf.demo;

import android.media.Image;
import android.os.Handler;
import android.os.HandlerThread;
import java.io.IOException;
import java.nio.ByteBuffer;
import yolov2tf.core.Detections;
import yolov2tf.core.Detector;
import yolov2tf.core.FrameGate;
import yolov2tf.core.ModelException;
import yolov2tf.core.ModelFile;
import yolov2tf.core.MovingAverage;
import yolov2tf.core.Picture;
import yolov2tf.core.YuvFrame;

/**
 * Runs the network on a thread of its own, one picture at a time.
 *
 * <p>A camera frame that comes while the network is busy is dropped. Everything of the network is
 * opened, used and closed on that thread.
 */
final class Analyzer {
    /** Hears of results on the analyzer's thread. */
    interface Listener {
        /** A model was loaded. */
        void onModel(ModelFile model, String runsOn);

        /** Something was looked at; {@code found} is valid during the call only. */
        void onDetections(ModelFile model, Detections found);

        /** Mean times of the last frames; told twice a second. */
        void onTimes(String runsOn, float prepareMillis, float runMillis, float framesPerSecond);

        void onModelFailed(String name, Exception reason);

        void onNetworkFailed(RuntimeException reason);
    }

    private static final long TIMES_EVERY_NANOS = 500_000_000L;

    private final ModelAssets assets;
    private final Listener listener;
    private final HandlerThread thread = new HandlerThread("network");
    private final Handler handler;
    private final FrameGate gate = new FrameGate();
    private final YuvFrame frame = new YuvFrame(); // belongs to whoever is inside the gate
    private final Runnable detectFrame = this::detectFrame;
    private final MovingAverage prepareMillis = new MovingAverage(30);
    private final MovingAverage runMillis = new MovingAverage(30);
    private final MovingAverage frameMillis = new MovingAverage(30);
    private volatile float threshold = 0.25f;

    // Of the network's thread alone.
    private Detector detector;
    private Detections found;
    private long lastFrame;
    private long lastTold;

    Analyzer(ModelAssets assets, Listener listener) {
        this.assets = assets;
        this.listener = listener;
        thread.start();
        handler = new Handler(thread.getLooper());
    }

    /** Loads a model in place of the one before. */
    void load(String name, Accelerator accelerator) {
        handler.post(() -> {
            release();
            try {
                ByteBuffer file = assets.map(name);
                ModelFile model = ModelFile.read(file);
                detector = new Detector(model, InterpreterRunner.open(model, file, accelerator));
                found = new Detections(model.layout.maxDetections);
                listener.onModel(model, detector.description());
            } catch (ModelException | IOException error) {
                listener.onModelFailed(name, error);
            }
        });
    }

    /** Sets what counts as a detection from the next picture on, 0..1. */
    void setThreshold(float score) {
        threshold = score;
    }

    /**
     * Takes a camera frame, or drops it.
     *
     * @param image the frame; used during the call only
     * @param rotation degrees clockwise that turn it upright
     */
    void offer(Image image, int rotation) {
        if (!gate.enter()) {
            return;
        }
        Image.Plane[] planes = image.getPlanes();
        frame.set(image.getWidth(), image.getHeight(), rotation,
                planes[0].getBuffer(), planes[0].getRowStride(),
                planes[1].getBuffer(), planes[2].getBuffer(),
                planes[1].getRowStride(), planes[1].getPixelStride());
        if (!handler.post(detectFrame)) {
            gate.leave();
        }
    }

    /** Looks at a picture. */
    void look(Picture picture) {
        handler.post(() -> detect(picture));
    }

    /** Closes the model and ends the thread; what is waiting is not done any more. */
    void close() {
        handler.removeCallbacksAndMessages(null);
        handler.post(this::release);
        thread.quitSafely();
    }

    private void detectFrame() {
        try {
            detect(frame);
        } finally {
            gate.leave();
        }
        tellTimes();
    }

    private void detect(Picture picture) {
        if (detector == null) {
            return;
        }
        try {
            detector.setThreshold(threshold);
            detector.detect(picture, found);
        } catch (RuntimeException error) { // the runtime's own; a delegate may fail at any time
            release();
            listener.onNetworkFailed(error);
            return;
        }
        prepareMillis.add(detector.prepareMillis());
        runMillis.add(detector.runMillis());
        listener.onDetections(detector.model(), found);
    }

    private void tellTimes() {
        long now = System.nanoTime();
        if (lastFrame != 0) {
            frameMillis.add((now - lastFrame) / 1e6f);
        }
        lastFrame = now;
        if (detector != null && now - lastTold > TIMES_EVERY_NANOS && frameMillis.mean() > 0) {
            lastTold = now;
            listener.onTimes(detector.description(), prepareMillis.mean(), runMillis.mean(),
                    1000 / frameMillis.mean());
        }
    }

    private void release() {
        if (detector != null) {
            detector.close();
            detector = null;
        }
        prepareMillis.clear();
        runMillis.clear();
        frameMillis.clear();
        lastFrame = 0;
    }
}
