package yolov2tf.core;

import java.util.List;
import java.util.Locale;

/** Detections as {@code yolov2 predict --json} writes them. */
public final class DetectionsJson {
    private DetectionsJson() {}

    /**
     * Writes those above a threshold.
     *
     * @param image the picture's name
     * @param classNames what the labels index
     * @return JSON; boxes are [y_min, x_min, y_max, x_max] as fractions of the picture
     */
    public static String write(String image, Detections found, float threshold,
            List<String> classNames) {
        StringBuilder json = new StringBuilder("[\n  {\n    \"image\": ");
        quote(json, image).append(",\n    \"detections\": [");
        int count = found.countAbove(threshold);
        for (int i = 0; i < count; i++) {
            json.append(i == 0 ? "\n" : ",\n").append(String.format(Locale.ROOT,
                    "      {\"box\": [%.5f, %.5f, %.5f, %.5f], \"label\": ",
                    found.top(i), found.left(i), found.bottom(i), found.right(i)));
            quote(json, classNames.get(found.label(i)))
                    .append(String.format(Locale.ROOT, ", \"score\": %.5f}", found.score(i)));
        }
        return json.append(count == 0 ? "]\n  }\n]\n" : "\n    ]\n  }\n]\n").toString();
    }

    private static StringBuilder quote(StringBuilder json, String text) {
        json.append('"');
        for (int i = 0; i < text.length(); i++) {
            char letter = text.charAt(i);
            if (letter == '"' || letter == '\\') {
                json.append('\\').append(letter);
            } else if (letter < ' ') {
                json.append(String.format(Locale.ROOT, "\\u%04x", (int) letter));
            } else {
                json.append(letter);
            }
        }
        return json.append('"');
    }
}
