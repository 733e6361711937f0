# Fish completion for cirt. cirt itself knows what may come next.
function __cirt_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    # A quote may be open.
    set -l plain (string unescape -- "$typed" 2>/dev/null; or string unescape -- "$typed\"" 2>/dev/null; or string unescape -- "$typed'" 2>/dev/null)
    for line in ($words[1] --complete -- $words[2..-1] "$plain" 2>/dev/null)
        if test "$line" = @files
            __fish_complete_path "$typed"
            return
        end
        printf '%s\n' $line
    end
end
complete -c cirt -f -a '(__cirt_complete)'
