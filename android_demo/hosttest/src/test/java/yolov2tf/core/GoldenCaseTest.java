package yolov2tf.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The cases that the Python, Java and JavaScript readers of a {@code .tflite} file share. */
class GoldenCaseTest {
    private static final float TOLERANCE = 1e-5f;
    private static final float PIXEL_TOLERANCE = 1e-3f; // of 0..255

    static List<GoldenCase> cases() {
        return GoldenCase.all();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void answersAsTheCaseSays(GoldenCase golden) throws ModelException {
        if (golden.refused == null) {
            findsWhatIsThere(golden);
        } else {
            Exception error = assertThrows(Exception.class, () -> detect(golden, new byte[0][]));
            assertTrue(error instanceof ModelException || error instanceof IllegalStateException,
                    error.toString());
            assertTrue(error.getMessage().contains(golden.refused), error.getMessage());
        }
    }

    private static void findsWhatIsThere(GoldenCase golden) throws ModelException {
        byte[][] given = new byte[1][];
        List<JSONObject> found = detect(golden, given);
        assertEquals(golden.detections.length(), found.size(), "number of detections");
        for (int i = 0; i < found.size(); i++) {
            JSONObject expected = golden.detections.getJSONObject(i);
            assertEquals(expected.getInt("label"), found.get(i).getInt("label"), "label " + i);
            assertEquals(expected.getString("name"), found.get(i).getString("name"), "name " + i);
            assertEquals(expected.getFloat("score"), found.get(i).getFloat("score"), TOLERANCE,
                    "score " + i);
            for (int side = 0; side < 4; side++) {
                assertEquals(expected.getJSONArray("box").getFloat(side),
                        found.get(i).getJSONArray("box").getFloat(side), TOLERANCE, "box " + i);
            }
        }
        comparePixels(golden.input, given[0]);
    }

    private static void comparePixels(JSONObject input, byte[] given) {
        int size = input.getJSONArray("shape").getInt(1);
        ByteBuffer values = ByteBuffer.wrap(given).order(java.nio.ByteOrder.nativeOrder());
        boolean octets = input.getString("type").equals("uint8");
        for (Object each : input.getJSONArray("pixels")) {
            JSONArray pixel = (JSONArray) each;
            int place = 3 * (pixel.getInt(0) * size + pixel.getInt(1));
            for (int channel = 0; channel < 3; channel++) {
                float value = octets
                        ? values.get(place + channel) & 0xFF
                        : values.getFloat(4 * (place + channel));
                assertEquals(pixel.getFloat(2 + channel), value, PIXEL_TOLERANCE, "pixel " + pixel);
            }
        }
    }

    /** Runs a case; {@code given[0]} takes what the network got. */
    private static List<JSONObject> detect(GoldenCase golden, byte[][] given)
            throws ModelException {
        Layout layout = Layout.parse(golden.description.getBytes(StandardCharsets.UTF_8));
        List<TensorInfo> outputs = new ArrayList<>();
        for (String name : golden.outputs.keySet()) {
            outputs.add(tensor(name, golden.outputs.getJSONObject(name)));
        }
        ModelFile model = new ModelFile(layout, tensor("image", golden.input), outputs);
        Detections found = new Detections(100);
        try (Detector detector = new Detector(model, new RecordedRunner(golden, outputs))) {
            detector.setThreshold(golden.threshold);
            detector.detect(golden.picture, found);
            if (given.length > 0) {
                given[0] = new byte[model.input.bytes()];
                ByteBuffer input = detector.input();
                input.rewind();
                input.get(given[0]);
            }
        }
        List<JSONObject> answer = new ArrayList<>();
        for (int i = 0; i < found.count(); i++) {
            answer.add(new JSONObject()
                    .put("box", new JSONArray(new float[] {
                        found.top(i), found.left(i), found.bottom(i), found.right(i)}))
                    .put("label", found.label(i))
                    .put("name", layout.classNames.get(found.label(i)))
                    .put("score", found.score(i)));
        }
        return answer;
    }

    private static TensorInfo tensor(String name, JSONObject json) throws ModelException {
        JSONArray sides = json.getJSONArray("shape");
        int[] shape = new int[sides.length()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = sides.getInt(i);
        }
        String type = json.getString("type").toUpperCase(java.util.Locale.ROOT);
        return new TensorInfo(name, TensorInfo.Type.valueOf(type), shape);
    }

    /** Stands in for TensorFlow Lite: gives what the case holds, whatever it gets. */
    private static final class RecordedRunner implements ModelRunner {
        private final GoldenCase golden;
        private final List<TensorInfo> tensors;

        RecordedRunner(GoldenCase golden, List<TensorInfo> tensors) {
            this.golden = golden;
            this.tensors = tensors;
        }

        @Override
        public void run(ByteBuffer input, ByteBuffer[] outputs) {
            for (int i = 0; i < outputs.length; i++) {
                TensorInfo tensor = tensors.get(i);
                for (Object value : golden.outputs.getJSONObject(tensor.name)
                        .getJSONArray("values")) {
                    if (tensor.type == TensorInfo.Type.INT32) {
                        outputs[i].putInt(((Number) value).intValue());
                    } else {
                        outputs[i].putFloat(((Number) value).floatValue());
                    }
                }
            }
        }

        @Override
        public String description() {
            return "recorded";
        }

        @Override
        public void close() {
            // Nothing to give back.
        }
    }
}
