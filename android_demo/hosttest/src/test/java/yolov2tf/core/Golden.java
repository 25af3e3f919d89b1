package yolov2tf.core;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONObject;

/** One case that {@code goldens.py} wrote: a picture, a model, and what Python computes of them. */
final class Golden {
    static final Path FOLDER = Paths.get(System.getProperty("goldens"));

    final JSONObject json;

    private Golden(JSONObject json) {
        this.json = json;
    }

    static List<Golden> all() {
        Path list = FOLDER.resolve("cases.json");
        if (!Files.exists(list)) {
            throw new IllegalStateException("no " + list + ": make test-android writes it");
        }
        List<Golden> cases = new ArrayList<>();
        JSONArray array = new JSONArray(new String(bytes(list)));
        for (int i = 0; i < array.length(); i++) {
            cases.add(new Golden(array.getJSONObject(i)));
        }
        return cases;
    }

    /** A case of a model and frame, e.g. {@code letterbox-nms-none/turned-90}. */
    static Golden named(String name) {
        for (Golden golden : all()) {
            if (golden.toString().equals(name)) {
                return golden;
            }
        }
        throw new IllegalArgumentException("no case " + name);
    }

    Path model() {
        return FOLDER.resolve(json.getString("model"));
    }

    boolean isInt8() {
        return json.getString("quantization").equals("int8");
    }

    Picture picture() {
        if (!json.has("frame")) {
            return packed(
                    bytes(file("rgb")), json.getInt("width"), json.getInt("height"));
        }
        JSONObject frame = json.getJSONObject("frame");
        YuvFrame yuv = new YuvFrame();
        yuv.set(frame.getInt("width"), frame.getInt("height"), frame.getInt("rotation"),
                direct(file("y")), frame.getInt("luma_stride"), direct(file("u")),
                direct(file("v")), frame.getInt("chroma_stride"), frame.getInt("chroma_step"));
        return yuv;
    }

    float[] input() {
        return floats("input");
    }

    /** Numbers in one of the case's files. */
    float[] floats(String kind) {
        ByteBuffer data = ByteBuffer.wrap(bytes(file(kind))).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[data.remaining() / 4];
        data.asFloatBuffer().get(values);
        return values;
    }

    Path file(String kind) {
        return FOLDER.resolve(json.getString("file") + "." + kind);
    }

    @Override
    public String toString() {
        return json.getString("name");
    }

    static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static ByteBuffer direct(Path file) {
        byte[] bytes = bytes(file);
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length);
        buffer.put(bytes);
        return buffer;
    }

    private static PackedPicture packed(byte[] rgb, int width, int height) {
        int[] pixels = new int[width * height];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (rgb[3 * i] & 0xFF) << 16
                    | (rgb[3 * i + 1] & 0xFF) << 8
                    | rgb[3 * i + 2] & 0xFF;
        }
        return new PackedPicture(pixels, width, height);
    }
}
