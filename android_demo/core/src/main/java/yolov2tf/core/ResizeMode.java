package yolov2tf.core;

import java.util.Locale;

/** How a picture becomes the square that a network sees. */
public enum ResizeMode {
    /** Fills the square and ignores the aspect ratio. */
    STRETCH,
    /** Keeps the aspect ratio and pads with grey. */
    LETTERBOX;

    /** The one of these {@link #names}. */
    static ResizeMode of(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT));
    }

    /** What {@code yolov2.json} calls them. */
    static String[] names() {
        String[] names = new String[values().length];
        for (ResizeMode mode : values()) {
            names[mode.ordinal()] = mode.name().toLowerCase(Locale.ROOT);
        }
        return names;
    }
}
