package yolov2tf.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The classes that run on the phone, with the exported files, against Python. */
class GoldenTest {
    private static final float TOLERANCE = 1e-5f;

    static List<Golden> cases() {
        return Golden.all();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void resizesLikePython(Golden golden) throws Exception {
        Layout layout = ModelFile.read(ByteBuffer.wrap(Golden.bytes(golden.model()))).layout;
        Picture picture = golden.picture();
        assertEquals(golden.json.getInt("width"), picture.width());
        assertEquals(golden.json.getInt("height"), picture.height());
        float[] pixels = new Resizer(layout.inputSize, layout.resize).resize(picture);
        assertArrayEquals(golden.input(), pixels, TOLERANCE);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void detectsLikePython(Golden golden) throws Exception {
        ModelFile model = ModelFile.read(ByteBuffer.wrap(Golden.bytes(golden.model())));
        Detections found = new Detections(model.layout.maxDetections);
        try (Detector detector = new Detector(model, new LiteRunner(golden.model()))) {
            detector.setThreshold(golden.json.getFloat("threshold"));
            detector.detect(golden.picture(), found);
            if (!golden.isInt8()) {
                compareOutputs(golden, detector);
            }
        }
        compareDetections(golden, found);
        PaintedPicture.save(golden, found, model.layout.classNames);
    }

    private static void compareOutputs(Golden golden, Detector detector) {
        for (int i = 0; i < detector.model().outputs.size(); i++) {
            String name = detector.model().outputs.get(i).name;
            assertTrue(golden.json.getJSONArray("outputs").toList().contains(name), name);
            float[] expected = golden.floats(name);
            float[] values = new float[expected.length];
            boolean integers =
                    detector.model().outputs.get(i).type == TensorInfo.Type.INT32;
            ByteBuffer output = detector.output(i);
            for (int place = 0; place < values.length; place++) {
                values[place] =
                        integers ? output.getInt(4 * place) : output.getFloat(4 * place);
            }
            assertArrayEquals(expected, values, TOLERANCE, name);
        }
    }

    private static void compareDetections(Golden golden, Detections found) throws IOException {
        JSONArray expected = golden.json.getJSONArray("detections");
        assertEquals(expected.length(), found.count(), "number of detections");
        for (int i = 0; i < found.count(); i++) {
            JSONObject one = expected.getJSONObject(i);
            assertEquals(one.getInt("label"), found.label(i), "label " + i);
            assertEquals(one.getFloat("score"), found.score(i), TOLERANCE, "score " + i);
            float[] box = {found.top(i), found.left(i), found.bottom(i), found.right(i)};
            for (int side = 0; side < 4; side++) {
                assertEquals(one.getJSONArray("box").getFloat(side), box[side], TOLERANCE,
                        "box " + i);
            }
        }
    }
}
