package yolov2tf.demo;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import yolov2tf.core.Detector;
import yolov2tf.core.FirstThatWorks;
import yolov2tf.core.ModelException;
import yolov2tf.core.ModelFile;

/** A model that was opened on what was chosen, or on the CPU where the GPU refuses it. */
final class OpenNetwork {
    final ModelFile model;
    /** Finds all that the network gives, whatever it scores. To be closed. */
    final Detector detector;
    final Accelerator runsOn;
    /** Why the chosen accelerator does not run it; null if it does. */
    final String refusal;

    private OpenNetwork(ModelFile model, Detector detector, Accelerator runsOn, String refusal) {
        this.model = model;
        this.detector = detector;
        this.runsOn = runsOn;
        this.refusal = refusal;
    }

    /**
     * Opens it, on the thread that will run it.
     *
     * @throws ModelException if nothing runs it, or it is none that this app knows
     */
    static OpenNetwork open(ModelAssets assets, NetworkRuntime runtime, String name,
            Accelerator chosen) throws ModelException, IOException {
        List<Accelerator> ways = new ArrayList<>();
        ways.add(chosen);
        if (chosen == Accelerator.GPU) {
            ways.add(Accelerator.FALLBACK);
        }
        ByteBuffer file = assets.map(name);
        ModelFile model = ModelFile.read(file);
        List<FirstThatWorks.Way> openings = new ArrayList<>();
        for (Accelerator way : ways) {
            openings.add(() -> runtime.open(file, way));
        }
        FirstThatWorks opened = FirstThatWorks.open(model, openings);
        Detector detector;
        try {
            detector = new Detector(model, opened.runner);
        } catch (ModelException error) {
            opened.runner.close();
            throw error;
        }
        detector.setThreshold(0);
        return new OpenNetwork(model, detector, ways.get(opened.way), opened.refusal);
    }
}
