package yolov2tf.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Files as they should be, and as they should not. */
class ModelFileTest {
    private static final Golden GOLDEN = Golden.named("letterbox-nms-int8/landscape");
    private static final byte[] FILE = Golden.bytes(GOLDEN.model());

    @Test
    void readsWhatTheFileSaysAboutItself() throws ModelException {
        ModelFile model = ModelFile.read(ByteBuffer.wrap(FILE));
        assertEquals("YOLOv2 object detector", model.name);
        assertEquals("Finds objects and their boxes in a picture.", model.description);
        assertEquals("goldens.py", model.author);
        assertEquals("CC0", model.license);
        assertEquals(Arrays.asList("cat", "dog", "bird"), model.layout.classNames);
        assertEquals(ResizeMode.LETTERBOX, model.layout.resize);
        assertEquals("int8", model.layout.quantization);
        assertEquals("image UINT8[1, 96, 96, 3]", model.input.toString());
        assertEquals("location", model.outputs.get(model.outputIndex(
                "location", TensorInfo.Type.FLOAT32, 1, 100, 4)).name);
    }

    @Test
    void readsFilesInsideLargerBuffers() throws ModelException {
        ByteBuffer larger = ByteBuffer.allocateDirect(FILE.length + 10);
        larger.position(10);
        larger.put(FILE);
        larger.position(10);
        assertEquals("CC0", ModelFile.read(larger).license);
        assertEquals(10, larger.position());
    }

    @Test
    void refusesOutputsOfAnotherShape() throws ModelException {
        ModelFile model = ModelFile.read(ByteBuffer.wrap(FILE));
        fails("[1, 7, 4]", () -> model.outputIndex("location", TensorInfo.Type.FLOAT32, 1, 7, 4));
        fails("no output \"boxes\"",
                () -> model.outputIndex("boxes", TensorInfo.Type.FLOAT32, 1, 100, 4));
    }

    @Test
    void readsTheStepsOfAnIntegerHead() throws ModelException {
        Golden golden = Golden.named("raw-head-int8/landscape");
        ModelFile model = ModelFile.read(ByteBuffer.wrap(Golden.bytes(golden.model())));
        assertTrue(model.layout.rawHead);
        assertEquals("image INT8[1, 96, 96, 3]", model.input.toString());
        assertEquals("head INT8[1, 3, 3, 40]", model.output("head").toString());
        assertTrue(model.output("head").scale > 0);
    }

    @Test
    void refusesAHeadThatIsNotTheLayouts() throws ModelException {
        Golden golden = Golden.named("raw-head-none/landscape");
        Layout layout = ModelFile.read(ByteBuffer.wrap(Golden.bytes(golden.model()))).layout;
        for (int[] shape : new int[][] {{1, 3, 3, 39}, {1, 3, 4, 40}, {2, 3, 3, 40}, {1, 360}}) {
            TensorInfo head = new TensorInfo("head", TensorInfo.Type.FLOAT32, shape);
            fails("[1, S, S, 40]", () -> new HeadDecoder(
                    layout, head, ByteBuffer.allocate(head.bytes())));
        }
        TensorInfo stepless = new TensorInfo("head", TensorInfo.Type.INT8, new int[] {1, 3, 3, 40});
        fails("[1, S, S, 40]", () -> new HeadDecoder(
                layout, stepless, ByteBuffer.allocate(stepless.bytes())));
    }

    @Test
    void refusesInputsWithOtherSteps() throws ModelException {
        Golden golden = Golden.named("raw-head-int8/landscape");
        ModelFile model = ModelFile.read(ByteBuffer.wrap(Golden.bytes(golden.model())));
        TensorInfo input = new TensorInfo(
                "image", TensorInfo.Type.INT8, new int[] {1, 96, 96, 3}, 0.5f, 0);
        fails("steps of 1 from -128",
                () -> new ModelFile(model.layout, input, model.outputs));
    }

    @Test
    void refusesTheRawHeadOfATree() {
        byte[] json = ("{\"class_names\": [\"a\"], \"anchors\": [[1, 1]], \"input_size\": 32,"
                + " \"resize\": \"stretch\", \"nms\": false, \"score_threshold\": 0.1,"
                + " \"iou_threshold\": 0.5, \"max_detections\": 3, \"tree\": {\"names\": [\"n\"],"
                + " \"parent\": [-1]}, \"outputs\": [\"head\"]}").getBytes(StandardCharsets.UTF_8);
        fails("raw head of a label tree", () -> Layout.parse(json));
    }

    @Test
    void refusesWhatIsNoModel() {
        fails("not a TFLite model", () -> read("this is a text, and a short one".getBytes()));
        fails("damaged", () -> read(new byte[0]));
        fails("damaged", () -> read(new byte[3]));
    }

    @Test
    void refusesModelsWithoutLayout() {
        byte[] graphOnly = Arrays.copyOf(FILE, endOfGraph());
        fails("not written by yolov2 export", () -> read(graphOnly));
    }

    @Test
    void refusesModelsWithoutMetadata() {
        byte[] file = FILE.clone();
        replace(file, "TFLITE_METADATA", "TFLITE_NOTHINGS");
        fails("not written by yolov2 export", () -> read(file));
    }

    @Test
    void refusesLayoutsThatWereTouched() { // those that make no sense: GoldenCaseTest
        byte[] size = FILE.clone();
        replace(size, "\"iou_threshold\": 0.4", "\"iou_threshold\": 0.9");
        fails("damaged", () -> read(size));
    }

    @Test
    void truncatedFilesGetAMessage() {
        for (int length = 0; length < FILE.length - 1; length += 1 + FILE.length / 500) {
            byte[] part = Arrays.copyOf(FILE, length);
            assertThrows(ModelException.class, () -> read(part));
        }
    }

    @Test
    void damagedFilesGetAMessageOrAreRead() {
        Random random = new Random(0);
        int refused = 0;
        for (int round = 0; round < 3000; round++) {
            byte[] file = FILE.clone();
            for (int i = 0; i < 20; i++) {
                // Structure is at both ends, weights are between them.
                int place = random.nextInt(6000);
                file[random.nextBoolean() ? place : file.length - 1 - place] =
                        (byte) random.nextInt(256);
            }
            try {
                ModelFile.read(ByteBuffer.wrap(file));
            } catch (ModelException expected) {
                refused++;
            }
        }
        assertTrue(refused > 100, refused + " refused");
    }

    private static void read(byte[] file) throws ModelException {
        ModelFile.read(ByteBuffer.wrap(file));
    }

    private static void fails(String message, org.junit.jupiter.api.function.Executable action) {
        ModelException error = assertThrows(ModelException.class, action);
        assertTrue(error.getMessage().contains(message), error.getMessage());
    }

    /** The archive begins with the local header of its first file. */
    private static int endOfGraph() {
        return indexOf(FILE, "PK\3\4".getBytes(StandardCharsets.ISO_8859_1));
    }

    private static void replace(byte[] file, String old, String other) {
        byte[] wanted = old.getBytes(StandardCharsets.UTF_8);
        byte[] replacement = other.getBytes(StandardCharsets.UTF_8);
        assertEquals(wanted.length, replacement.length);
        System.arraycopy(replacement, 0, file, indexOf(file, wanted), wanted.length);
    }

    private static int indexOf(byte[] file, byte[] wanted) {
        for (int i = 0; i + wanted.length <= file.length; i++) {
            if (Arrays.equals(file, i, i + wanted.length, wanted, 0, wanted.length)) {
                return i;
            }
        }
        throw new AssertionError(new String(wanted) + " is not there");
    }
}
