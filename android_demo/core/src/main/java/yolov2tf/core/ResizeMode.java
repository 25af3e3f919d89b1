package yolov2tf.core;

import java.util.Locale;

/** How a picture becomes the square that a network sees. */
public enum ResizeMode {
    /** Fills the square and ignores the aspect ratio. */
    STRETCH,
    /** Keeps the aspect ratio and pads with grey. */
    LETTERBOX;

    static ResizeMode of(String name) throws ModelException {
        for (ResizeMode mode : values()) {
            if (mode.name().toLowerCase(Locale.ROOT).equals(name)) {
                return mode;
            }
        }
        throw new ModelException("The model asks for the resize mode \"" + name
                + "\"; this app knows stretch and letterbox.");
    }
}
