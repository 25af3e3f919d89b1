package yolov2tf.demo;

import static org.junit.Assert.assertEquals;

import android.graphics.Bitmap;
import android.graphics.Matrix;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;
import yolov2tf.core.Detections;

/** A case of {@code goldens.py}: what is shown to the app, and what Python finds in it. */
final class Golden {
    private static final Path FOLDER = Paths.get(System.getProperty("goldens"));
    private static final float TOLERANCE = 1e-5f;

    final JSONObject json;

    private Golden(JSONObject json) {
        this.json = json;
    }

    /** The case of a model and a frame or picture, e.g. {@code digits/landscape}. */
    static Golden named(String name) throws Exception {
        JSONArray cases = new JSONArray(new String(
                Files.readAllBytes(FOLDER.resolve("cases.json")), "UTF-8"));
        for (int i = 0; i < cases.length(); i++) {
            if (cases.getJSONObject(i).getString("name").equals(name)) {
                return new Golden(cases.getJSONObject(i));
            }
        }
        throw new IllegalArgumentException("no case " + name);
    }

    /** The model that the app begins with: the tiny starter, where the package has it. */
    static String first() {
        String tiny = "starter-tiny.tflite";
        return Files.exists(FOLDER.resolve(tiny)) ? tiny : "starter.tflite";
    }

    String model() throws JSONException {
        return json.getString("model");
    }

    /** The rotation of a frame, in degrees. */
    int rotation() throws JSONException {
        return json.getJSONObject("frame").getInt("rotation");
    }

    byte[] bytes(String kind) throws IOException, JSONException {
        return Files.readAllBytes(FOLDER.resolve(json.getString("file") + "." + kind));
    }

    /** The picture of a case without a frame. */
    Bitmap bitmap() throws IOException, JSONException {
        int width = json.getInt("width");
        int height = json.getInt("height");
        byte[] rgb = bytes("rgb");
        int[] pixels = new int[width * height];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = 0xFF000000 | (rgb[3 * i] & 0xFF) << 16 | (rgb[3 * i + 1] & 0xFF) << 8
                    | rgb[3 * i + 2] & 0xFF;
        }
        return Bitmap.createBitmap(pixels, width, height, Bitmap.Config.ARGB_8888);
    }

    byte[] png() throws IOException, JSONException {
        return compressed(bitmap(), Bitmap.CompressFormat.PNG);
    }

    static byte[] compressed(Bitmap bitmap, Bitmap.CompressFormat format) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bitmap.compress(format, 95, bytes);
        return bytes.toByteArray();
    }

    /** A picture turned, and mirrored before that where {@code mirrored}. */
    static Bitmap turned(Bitmap bitmap, int degrees, boolean mirrored) {
        Matrix matrix = new Matrix();
        matrix.setScale(mirrored ? -1 : 1, 1);
        matrix.postRotate(degrees);
        return Bitmap.createBitmap(
                bitmap, 0, 0, bitmap.getWidth(), bitmap.getHeight(), matrix, true);
    }

    /** How many Python found. */
    int count() throws JSONException {
        return json.getJSONArray("detections").length();
    }

    /** Compares what the app found with Python. */
    void compare(Detections found) throws JSONException {
        assertEquals("width", json.getInt("width"), found.pictureWidth());
        assertEquals("height", json.getInt("height"), found.pictureHeight());
        JSONArray expected = json.getJSONArray("detections");
        float threshold = (float) json.getDouble("threshold");
        assertEquals("number of detections", expected.length(), found.countAbove(threshold));
        for (int i = 0; i < expected.length(); i++) {
            JSONObject one = expected.getJSONObject(i);
            assertEquals("label " + i, one.getInt("label"), found.label(i));
            assertEquals("score " + i, one.getDouble("score"), found.score(i), TOLERANCE);
            float[] box = {found.top(i), found.left(i), found.bottom(i), found.right(i)};
            for (int side = 0; side < box.length; side++) {
                assertEquals("box " + i, one.getJSONArray("box").getDouble(side), box[side],
                        TOLERANCE);
            }
        }
    }
}
